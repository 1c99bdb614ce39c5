import t from 'tap';
import { createPulse, PULSE } from '../../../../../scorer/page/core/pulse.js';
import { random as draw } from '../../../../support/random.js';

const START = 1_700_000_000_000;

t.test('slots hold what was added in them, are written over in turn, and empty ones are empty', async (t) => {
  const { slots, slot_ms } = PULSE;
  const pulse = createPulse();
  const begin = Math.floor(START / slot_ms) * slot_ms;
  for (let i = 0; i < 3 * slots; i++) {
    if (i % 7 === 3) continue;
    pulse.advance(begin + i * slot_ms + 17);
    for (let n = 0; n <= i % 5; n++) pulse.add(0.95, n === 0, 1, 2, 3, 6);
  }
  const reading = pulse.read(begin + 3 * slots * slot_ms - 1);
  const expected = Array.from({ length: slots }, (_, at) => 2 * slots + at).map((i) => (i % 7 === 3 ? 0 : (i % 5) + 1));
  t.same(reading.rows, expected);
  t.same(reading.at_risk, expected.map((rows) => (rows > 0 ? 1 : 0)));
  t.same(reading.scores.map((bins) => bins[PULSE.score_bins - 1]), expected);
  t.equal(reading.until, begin + 3 * slots * slot_ms);
  t.same(reading.latency_ms.map(({ p50 }) => p50 === null), expected.map((rows) => rows === 0));
  t.same(pulse.read(begin + 10 * slots * slot_ms).rows, Array.from({ length: slots }, () => 0), 'a silence longer than all slots');
  t.equal(pulse.read(begin).rows.length, slots, 'a clock that goes back changes nothing');
});

t.test('scores at both ends and beyond count in the outermost twentieths', async (t) => {
  const pulse = createPulse();
  pulse.advance(START);
  for (const score of [0, 0.049, 0.05, 0.5, 0.999, 1]) pulse.add(score, false, 0, 0, 0, 0);
  const bins = pulse.read(START).scores.at(-1)!;
  t.same([bins[0], bins[1], bins[10], bins[19]], [2, 1, 1, 2]);
});

t.test('quantiles are within a bin, 9 %, of the sorted values', async (t) => {
  const random = draw(11);
  const pulse = createPulse();
  pulse.advance(START);
  const values = Array.from({ length: 5000 }, () => Math.floor(Math.exp(random() * 11)));
  for (const ms of values) pulse.add(0.5, false, ms, 0, -3, ms);
  const { stages_ms } = pulse.read(START);
  values.sort((a, b) => a - b);
  for (const [name, share] of [['p50', 0.5], ['p95', 0.95], ['p99', 0.99]] as const) {
    const exact = values[Math.ceil(share * values.length) - 1]!;
    const got = stages_ms.event_to_features[name]!;
    t.ok(Math.abs(got - exact) <= 0.1 * exact + 1, `${name}: ${got}, exact ${exact}`);
  }
  t.ok(stages_ms.score_to_commit.p99! <= 1, 'clocks that differ give no negative times');
});
