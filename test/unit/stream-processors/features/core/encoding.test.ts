import t from 'tap';
import { EVENT_TYPES } from '../../../../../schemas/events/customer-event.js';
import { hashId } from '../../../../../schemas/events/hash-id.js';
import { customerActivity } from '../../../../../schemas/features/customer-activity.js';
import { count, days, ratio } from '../../../../../schemas/features/declaration.js';
import { defineView } from '../../../../../schemas/features/validate.js';
import { cursor, readNumber, readWhole, writeNumber, writeWhole } from '../../../../../stream-processors/features/core/numbers.js';
import { compileReducer, StateFormatError, type State } from '../../../../../stream-processors/features/core/reducer.js';
import { seeded, seedOf } from '../../../../support/random.js';
import { everyAggregate } from '../../../../support/views.js';

const DAY = 86_400_000;
const seed = seedOf(11);
const random = seeded(seed);
t.comment(`TEST_SEED=${seed}`);
const reducer = compileReducer(customerActivity);
const buffer = new Uint8Array(1 << 17);

function grown(events: number, spreadDays: number, of = reducer): State {
  const state = of.create();
  for (let i = 0; i < events; i++)
    of.update(state, random.below(EVENT_TYPES.length), Math.round(random() * 20_000) / 100, random.below(4), 1.7e12 + Math.round((i / events) * spreadDays * DAY), hashId(`e${i}`));
  return state;
}

t.test('ten events take well under 1 kB, stored and in memory', async (t) => {
  for (const spread of [0.1, 5, 20, 80]) {
    const state = grown(10, spread);
    const stored = reducer.encode(state, buffer, 0);
    t.ok(stored < 400, `ten events in ${spread} days: stored in ${stored} bytes`);
    t.ok(state.data.byteLength < 1024, `and ${state.data.byteLength} in memory`);
  }
});

t.test('a state never outgrows its windows', async (t) => {
  const state = grown(20_000, 4_000);
  t.ok(state.days <= 90 && state.hours <= 24 && state.idCount === 32, `${state.days} days, ${state.hours} hours, ${state.idCount} ids`);
  t.ok(reducer.sizeOf(state) < 8_000, `${reducer.sizeOf(state)} bytes`);
  t.ok(reducer.encode(grown(20_000, 90), buffer, 0) < 4_000, 'and is stored in less than 4 kB');
});

t.test('decoding gives back what was encoded, and encodes to the same bytes', async (t) => {
  for (const view of [customerActivity, everyAggregate]) {
    const one = compileReducer(view);
    for (const events of [0, 1, 3, 31, 32, 33, 500]) {
      const state = grown(events, 60, one);
      const end = one.encode(state, buffer, 7);
      const copy = one.decode(buffer, 7, end);
      const again = new Uint8Array(1 << 16);
      t.same(again.subarray(0, one.encode(copy, again, 0)), buffer.subarray(7, end), `${view.name} after ${events} events`);
      t.ok(end - 7 <= one.encodedBytesMax(state));
      t.equal(one.encodedLatestMs(buffer, 7, end), one.latestMs(state), 'the latest event time is read where it stands');
    }
  }
});

t.test('refuses what is no state of this view', async (t) => {
  const end = reducer.encode(grown(50, 40), buffer, 0);
  const logins = count('logins_7d', 'logins', { of: 'login', over: days(7) });
  const more = compileReducer(defineView({ ...customerActivity, version: 2, features: [...customerActivity.features, logins] }));
  t.throws(() => more.decode(buffer, 0, end), { name: 'StateFormatError', code: 'STATE_VERSION_UNKNOWN', message: /it was written for another feature list; compute the state anew/ });
  const shorter = compileReducer(defineView({ ...customerActivity, features: customerActivity.features.filter((f) => !f.name.endsWith('_90d')) }));
  t.throws(() => shorter.decode(buffer, 0, end), { code: 'STATE_VERSION_UNKNOWN' }, 'windows are part of the layout');
  t.throws(() => compileReducer({ ...customerActivity, dedupeRecords: 16 }).decode(buffer, 0, end), { code: 'STATE_VERSION_UNKNOWN' }, 'so is the horizon of duplicates');
  t.throws(() => more.encodedLatestMs(buffer, 0, end), { code: 'STATE_VERSION_UNKNOWN' }, 'also where only its time is read');
  t.throws(() => reducer.decode(buffer, 0, 3), { message: /3 bytes are too few/ });
  t.throws(() => reducer.decode(buffer, 0, end - 1), { message: /the bytes are damaged/ });
  t.throws(() => reducer.decode(Uint8Array.from(buffer.subarray(0, end)).fill(9, 0, 1), 0, end), { message: /format version 9, this program reads 1/ });
});

t.test('keeps the state where a ratio is added: it needs no slot of its own', async (t) => {
  const share = ratio('purchase_share_7d', 'share of events that are purchases', { numerator: 'purchases_7d', denominator: 'events_7d' });
  const more = compileReducer(defineView({ ...customerActivity, version: 2, features: [...customerActivity.features, share] }));
  t.equal(more.layoutHash, reducer.layoutHash);
  const state = grown(50, 6);
  const copy = more.decode(buffer, 0, reducer.encode(state, buffer, 0));
  const out = new Float64Array(21);
  more.vector(copy, 0, out, 0);
  t.equal(out[20], out[3]! / out[1]!);
});

t.test('damaged bytes give an error of ours or some state, never a loop, a huge one or another error', async (t) => {
  const end = reducer.encode(grown(60, 50), buffer, 0);
  let refused = 0;
  let largest = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = buffer.slice(0, end - (random.chance(0.2) ? random.below(end) : 0));
    for (let flips = 1 + random.below(4); flips > 0 && bytes.length > 5; flips--) bytes[5 + random.below(bytes.length - 5)] = random.below(256);
    try {
      largest = Math.max(largest, reducer.sizeOf(reducer.decode(bytes, 0, bytes.length)));
    } catch (error) {
      if (!(error instanceof StateFormatError)) throw error;
      refused++;
    }
  }
  t.ok(refused > 1000 && refused < 3000, `${refused} of 3000 refused`);
  t.ok(largest < 10_000, `the largest of the others takes ${largest} bytes`);
});

t.test('refuses a buffer that may be too short', async (t) => {
  t.throws(() => reducer.encode(grown(40, 40), new Uint8Array(300), 0), { name: 'RangeError', message: /encodedBytesMax/ });
});

t.test('numbers come back bit for bit', async (t) => {
  const wholes = [0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 1.7e12, 2 ** 53 - 1, ...Array.from({ length: 200 }, () => Math.floor(2 ** (random() * 53)))];
  for (const whole of wholes) {
    const end = writeWhole(buffer, 3, whole);
    cursor.at = 3;
    if (readWhole(buffer) !== whole || cursor.at !== end || end > 3 + 8) t.fail(`whole ${whole}`);
  }
  const numbers = [0, 0.01, -0.01, 29.33, -29.33, 0.1 + 0.2, 1e7, -1e7, 9_999_999.99, -9_999_999.99, 1e12, 1e300, NaN, Infinity, -Infinity, Number.MIN_VALUE, 1 / 3,
    ...Array.from({ length: 2000 }, () => Math.round(random.normal() * 1e6) / 100), ...Array.from({ length: 2000 }, () => random.normal() * 10 ** (random.below(30) - 15))];
  for (const number of numbers) {
    const end = writeNumber(buffer, 3, number);
    cursor.at = 3;
    if (!Object.is(readNumber(buffer), number) || cursor.at !== end || end > 3 + 9) t.fail(`number ${number}`);
  }
  t.equal(writeNumber(buffer, 0, 29.33), 2, 'money is short');
});
