/**
 * What one event costs in the pure parts of the feature processor, nanoseconds: update, vector, stored form, record.
 * Run: node dist/test/bench/features-core.js
 */
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { compileFeatureEncoder } from '../../schemas/features/encode.js';
import { hashId } from '../../schemas/events/hash-id.js';
import { compileReducer, type State } from '../../stream-processors/features/core/reducer.js';
import { seeded } from '../support/random.js';

const DAY = 86_400_000;
const CUSTOMERS = 2_000;
const DAYS = 30;
const ROUNDS = 5;
const reducer = compileReducer(customerActivity);
const random = seeded(1);
const out = new Float64Array(reducer.features);
const buffer = Buffer.alloc(1 << 16);
let sink = 0;

/** The same events each time: each customer is seen once a day and a few times more, `DAYS` days long. */
const perDay = 3;
const events = CUSTOMERS * DAYS * perDay;
const types = Uint8Array.from({ length: events }, () => (random.chance(0.3) ? 4 : random.below(7)));
const amounts = Float64Array.from({ length: events }, () => Math.round(random() * 10_000) / 100);
const hashes = Float64Array.from({ length: events }, (_, i) => hashId(`event-${i}`));
const times = Float64Array.from({ length: events }, (_, i) => 1.7e12 + Math.floor(i / (CUSTOMERS * perDay)) * DAY + random.below(DAY));

function feed(withVector: boolean): State[] {
  const states = Array.from({ length: CUSTOMERS }, () => reducer.create());
  for (let i = 0; i < events; i++) {
    const state = states[i % CUSTOMERS]!;
    sink += reducer.update(state, types[i]!, amounts[i]!, NaN, times[i]!, hashes[i]!);
    if (withVector) { reducer.vector(state, 0, out, 0); sink += out[0]!; }
  }
  return states;
}

function report(what: string, calls: number, run: () => void): void {
  const ns: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = process.hrtime.bigint();
    run();
    if (round > 0) ns.push(Number(process.hrtime.bigint() - start) / calls);
  }
  ns.sort((a, b) => a - b);
  console.log(`${what.padEnd(44)} ${ns[ROUNDS >> 1]!.toFixed(0).padStart(6)} ns (${ns[0]!.toFixed(0)}-${ns.at(-1)!.toFixed(0)})`);
}

const states = feed(false);
const ids = Array.from({ length: CUSTOMERS }, (_, i) => `customer-${i}`);
const sizes = states.map((state) => reducer.encode(state, buffer, 0));
const stored = states.map((state) => Buffer.from(buffer.subarray(0, reducer.encode(state, buffer, 0))));
const encoder = compileFeatureEncoder(customerActivity, 1);
const header = encoder.createHeader();
header.eventTimeMs = header.producedMs = header.committedMs = 1.7e12;
const mean = (values: number[]): string => (values.reduce((a, b) => a + b, 0) / values.length).toFixed(0);
console.log(`${DAYS} days, ${DAYS * perDay} events a customer: stored ${mean(sizes)} bytes, in memory about ${mean(states.map((s) => reducer.sizeOf(s)))}`);
report('update (states growing, 2,000 in turn)', events, () => { feed(false); });
report('update and vector', events, () => { feed(true); });
report(`vector at ${DAYS} days`, CUSTOMERS * 20, () => { for (let i = 0; i < CUSTOMERS * 20; i++) { reducer.vector(states[i % CUSTOMERS]!, 0, out, 0); sink += out[5]!; } });
report(`encode at ${DAYS} days`, CUSTOMERS * 20, () => { for (let i = 0; i < CUSTOMERS * 20; i++) sink += reducer.encode(states[i % CUSTOMERS]!, buffer, 0); });
report(`decode at ${DAYS} days`, CUSTOMERS * 20, () => { for (let i = 0; i < CUSTOMERS * 20; i++) { const bytes = stored[i % CUSTOMERS]!; sink += reducer.decode(bytes, 0, bytes.length).days; } });
report(`event time of an encoded state`, CUSTOMERS * 200, () => { for (let i = 0; i < CUSTOMERS * 200; i++) { const bytes = stored[i % CUSTOMERS]!; sink += reducer.encodedLatestMs(bytes, 0, bytes.length); } });
report('feature record', CUSTOMERS * 20, () => {
  for (let i = 0; i < CUSTOMERS * 20; i++) { header.customerId = ids[i % CUSTOMERS]!; header.eventId = ids[(i * 7) % CUSTOMERS]!; sink += encoder.encode(header, out, 0, buffer, 0); }
});

/** Customers as they are after years: every day bucket of the longest window in use, rows leaving as rows come. */
const old = states.slice(0, 500);
let clock = times.at(-1)!;
let id = 1;
function live(withVector: boolean): void {
  for (let i = 0; i < 10_000; i++) {
    const state = old[i % 500]!;
    sink += reducer.update(state, types[i]!, amounts[i]!, NaN, clock + (i % 500), id++);
    if (withVector) { reducer.vector(state, 0, out, 0); sink += out[0]!; }
    if (i % 500 === 499) clock += DAY / 3;
  }
}
for (let i = 0; i < 20; i++) live(true);
report('update at 90 days', 10_000, () => { live(false); });
report('update and vector at 90 days', 10_000, () => { live(true); });
if (Number.isNaN(sink)) console.log('never');
