import t from 'tap';
import { isRejection } from '../../../../runtime/events/event-decoder.js';
import { checkEvent, latestEventTime } from '../../../../schemas/events/check-event.js';
import { EVENT_TYPES, type CustomerEvent } from '../../../../schemas/events/customer-event.js';
import { readEventByTheBook } from '../../../support/avro-event-oracle.js';
import { DAY_MS, decodeBoth, decoderOf, ownBytes } from '../../../support/event-decoder.js';
import { seeded, seedOf, type Random } from '../../../support/random.js';

const SEED = seedOf(20_260_115);
const RECORD_MS = Date.UTC(2026, 0, 15);
const CASES = 300_000;
t.comment(`TEST_SEED=${SEED}`);

const ALPHABETS = ['abcdefghijklmnopqrstuvwxyz0123456789-', 'aé ü€\u00a0', '🛒漢字ß', 'a\u0000\t\u007f\ufffd'];
function text(random: Random, lengthMax: number): string {
  const length = random.chance(0.05) ? random.pick([0, 1, 63, 64, 65, lengthMax - 1, lengthMax, lengthMax + 1]) : random.below(14);
  const alphabet = [...(random.chance(0.8) ? ALPHABETS[0]! : random.pick(ALPHABETS))];
  let out = '';
  while (out.length < length) out += random.pick(alphabet);
  return out;
}

function event(random: Random): CustomerEvent {
  const count = random.chance(0.01) ? random.pick([63, 64, 65]) : random.chance(0.5) ? 0 : random.below(5);
  return {
    event_id: text(random, 128),
    customer_id: text(random, 128),
    event_type: random.pick(EVENT_TYPES),
    amount: random.chance(0.4) ? null : random.pick([random() * 1000, -3.5, 0, -0, 1e12, -1e12, 1.0001e12, NaN, Infinity]),
    quantity: random.chance(0.4) ? null : random.pick([random.below(100), 0, -1, 1e9, 1e9 + 1, 2 ** 31 - 1]),
    channel: random.chance(0.9) ? 'web' : text(random, 64),
    event_time: random.chance(0.95) ? RECORD_MS - random.below(1e9) : random.pick([0, -1, 1, RECORD_MS + DAY_MS, RECORD_MS + DAY_MS + 1, 2 ** 53 - 2]),
    properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [random.chance(0.9) ? `k${i}` : random.chance(0.1) ? '__proto__x' : text(random, 64), text(random, random.chance(0.02) ? 1024 : 20)])),
  };
}

/** Bytes that are damaged the way disks, bugs and attackers damage them. */
function mutate(bytes: Buffer, random: Random): Buffer {
  const out = Buffer.from(bytes);
  const at = 5 + random.below(Math.max(1, out.length - 5));
  switch (random.below(7)) {
    case 0: out[at] = random.below(256); return out;
    case 1: out[at] = out[at]! ^ (1 << random.below(8)); return out;
    case 2: return out.subarray(0, at);
    case 3: return Buffer.concat([out.subarray(0, at), Buffer.from([random.below(256)]), out.subarray(at)]);
    case 4: return Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + random.below(3))]);
    case 5: return Buffer.concat([out, Buffer.from([random.below(3)])]);
    // A number made longer without changing its value: legal up to ten bytes.
    default: return Buffer.concat([out.subarray(0, at), Buffer.from([out[at]! | 0x80]), Buffer.alloc(random.below(10), 0x80), Buffer.from([0]), out.subarray(at + 1)]);
  }
}

/** What the book and checkEvent make of the bytes. */
function verdict(bytes: Buffer): CustomerEvent | undefined {
  let read: CustomerEvent;
  try {
    read = readEventByTheBook(bytes) as unknown as CustomerEvent;
  } catch {
    return undefined;
  }
  return checkEvent(read, latestEventTime(RECORD_MS, DAY_MS)) === undefined ? read : undefined;
}

t.test('hot, full and the slow reader by the book accept, reject and read the same', async (t) => {
  const random = seeded(SEED);
  const decoder = decoderOf();
  let accepted = 0;
  let mutatedAccepted = 0;
  let bytes = ownBytes(event(random));
  for (let i = 0; i < CASES; i++) {
    const mutated = i % 4 !== 0;
    if (!mutated) bytes = ownBytes(event(random));
    const value = mutated ? mutate(random.chance(0.3) ? mutate(bytes, random) : bytes, random) : bytes;
    const expected = verdict(value);
    let problem: string | undefined;
    try {
      const got = decodeBoth(decoder, value, RECORD_MS);
      if (isRejection(got)) {
        if (expected !== undefined) problem = `refused (${got.reason}: ${got.error}), the book accepts`;
      } else if (expected === undefined) problem = 'accepted, the book refuses';
      else if (!sameEvent(got, expected)) problem = `read ${JSON.stringify(got)}, the book ${JSON.stringify(expected)}`;
    } catch (error) {
      problem = String(error);
    }
    if (problem !== undefined) return t.fail(`case ${i} ${value.toString('hex')}: ${problem}`);
    if (expected !== undefined) {
      accepted++;
      if (mutated) mutatedAccepted++;
    }
  }
  t.ok(accepted > CASES / 10 && accepted < CASES * 0.9, `${accepted} of ${CASES} accepted, ${mutatedAccepted} of them mutated`);
  return t.ok(mutatedAccepted > 1000);
});

/** Field by field, -0 and 0 apart. */
function sameEvent(a: CustomerEvent, b: CustomerEvent): boolean {
  const { properties: left, ...fields } = a;
  const right = b.properties;
  const keys = Object.keys(left);
  return Object.entries(fields).every(([name, value]) => Object.is(value, b[name as keyof CustomerEvent])) &&
    keys.length === Object.keys(right).length && keys.every((key) => Object.getOwnPropertyDescriptor(right, key)?.value === Object.getOwnPropertyDescriptor(left, key)?.value);
}

t.test('bytes of any kind are refused in words and never throw', async (t) => {
  const random = seeded(SEED + 1);
  const decoder = decoderOf();
  for (let i = 0; i < 50_000; i++) {
    const value = Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)));
    if (value.length > 5 && random.chance(0.7)) Buffer.from([0, 0, 0, 0, 7]).copy(value);
    else if (value.length > 0 && random.chance(0.5)) value[0] = 0x7b;
    else if (value[0] === 0) value[0] = 1;
    try {
      decodeBoth(decoder, value, RECORD_MS);
    } catch (error) {
      return t.fail(`case ${i} ${value.toString('hex')}: ${String(error)}`);
    }
  }
  return t.pass('50000 cases');
});
