import t from 'tap';
import { EVENT_TYPES } from '../../../../schemas/events/customer-event.js';
import { hashId } from '../../../../schemas/events/hash-id.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { compileReducer, Outcome } from '../../../../stream-processors/features/core/reducer.js';
import { vectorFromEvents } from '../../../../deploy/replay/from-events.js';
import { placeOf, type LandedEvent } from '../../../../deploy/replay/stored.js';
import { randomHistory } from '../../../support/history.js';

const SEED = Number(process.env['SEED'] ?? 3);
t.comment(`SEED=${SEED}`);
const DAY = 86_400_000;
const reducer = compileReducer(view);

interface Stream { events: LandedEvent[]; /** What the processor wrote, in its order. */ written: { event: LandedEvent; values: number[] }[] }

/** One customer's records, appended a second apart, as the processor takes them. */
function stream(seed: number): Stream {
  const events = randomHistory({ seed, customers: 1, eventsPerCustomer: 250, duplicates: 0.3, partitions: 1 }).map((record, i): LandedEvent => ({
    event_id: record.event_id, type_code: EVENT_TYPES.indexOf(record.event_type), amount: record.amount ?? NaN, quantity: record.quantity ?? NaN,
    event_time: record.event_time, kafka_offset: record.kafka_offset, kafka_time: 1e12 + i * 1000,
  }));
  const state = reducer.create();
  const written: Stream['written'] = [];
  for (const event of events) {
    if (reducer.update(state, event.type_code, event.amount, event.quantity, event.event_time, hashId(event.event_id)) !== Outcome.accepted) continue;
    const values = new Float64Array(reducer.features);
    reducer.vector(state, 0, values, 0);
    written.push({ event, values: [...values] });
  }
  return { events, written };
}

t.test('after each event: the state with it, whatever came again, came late, or comes after', async (t) => {
  let again = 0;
  for (let seed = SEED; seed < SEED + 3; seed++) {
    const { events, written } = stream(seed);
    for (const { event, values } of written) {
      const found = await vectorFromEvents(reducer, events, { ...event, trigger: 'event', produced_at: event.kafka_time }, values);
      const right = values.every((value, i) => Object.is(value, found!.values[i])) && found!.until.kafka_offset === event.kafka_offset && found!.records === events.indexOf(event) + 1;
      if (!right) t.fail(`seed ${seed}, ${event.event_id} at ${event.kafka_offset}: ${JSON.stringify(found)}`);
      if (written.filter(({ event: { event_id } }) => event_id === event.event_id).length > 1) again++;
    }
  }
  t.ok(again > 0, `${again} events whose id counted again`);
});

t.test('a changed event changes what depends on it; one that is not there is said', async (t) => {
  const { events, written } = stream(SEED);
  const { event, values } = written.at(-1)!;
  const asked = { ...event, trigger: 'event' as const, produced_at: event.kafka_time };
  const changed = events.map((other) => (other === event ? { ...other, event_time: other.event_time + 60_000 } : other));
  const found = await vectorFromEvents(reducer, changed, asked, values);
  t.notSame([...found!.values], values);
  t.equal(await vectorFromEvents(reducer, events.filter((other) => other.event_id !== event.event_id), asked, values), undefined);
  t.equal(await vectorFromEvents(reducer, [], asked, values), undefined);
});

t.test('a sweep: the state as it was then, though it is not known which events had been taken in', async (t) => {
  const { events, written } = stream(SEED + 9);
  const clock = Math.max(...events.map(({ event_time }) => event_time)) + 40 * DAY;
  const at = 30;
  const state = reducer.create();
  const scored = written[at]!.event;
  const later = written[at + 2]!.event;
  for (const event of events.slice(0, events.indexOf(later) + 1)) reducer.update(state, event.type_code, event.amount, event.quantity, event.event_time, hashId(event.event_id));
  const values = new Float64Array(reducer.features);
  reducer.vector(state, clock, values, 0);
  const asked = { event_id: `sweep-${clock}`, event_time: clock, trigger: 'sweep' as const, produced_at: events.at(-1)!.kafka_time };
  const before = { event_id: scored.event_id, produced_at: scored.kafka_time };
  for (const known of [before, undefined]) {
    const found = await vectorFromEvents(reducer, events, asked, [...values], known);
    t.same([...found!.values], [...values]);
    t.ok(found!.until.kafka_offset <= later.kafka_offset);
  }
  const wrong = await vectorFromEvents(reducer, events, { ...asked, produced_at: later.kafka_time }, [...values].map((value) => value + 1), before);
  t.same([...wrong!.values], [...values], 'without an equal one the last that had been appended by then');
  t.equal(await vectorFromEvents(reducer, events, asked, [...values], { event_id: 'deleted', produced_at: 1 }), undefined);
});

t.test('an id is the place of a features record', async (t) => {
  t.same(placeOf('3-1841'), { partition: 3, offset: 1841 });
  for (const id of ['', '3', '3-', '-1', '3-1-2', 'a-1', '3-1 OR 1=1']) t.throws(() => placeOf(id), { code: 'INPUT_INVALID' }, id);
});
