import t, { type Test } from 'tap';
import { HOUR_MS, type Finding, type TriageInput } from '../../../../../../stream-processors/drift/core/triage/aggregates.js';
import { findDataBugs } from '../../../../../../stream-processors/drift/core/triage/data-bugs.js';
import { quarantineOf } from '../../../../../../stream-processors/drift/core/triage/quarantine.js';
import { seeded } from '../../../../../support/random.js';

const DAY_H = 24;
const [USUAL_H, WINDOW_H] = [28 * DAY_H, 7 * DAY_H];
const START = Date.UTC(2026, 0, 1);
const SHARES = { web: 0.55, ios: 0.2, android: 0.2, store: 0.05 };

interface Plant {
  /** Whether an event of that hour, counted from the window's start, is broken. */
  readonly when: (hour: number, channel: string) => boolean;
  readonly amount?: (amount: number) => number | null;
  readonly drop?: boolean;
  /** Hours that event_time is moved by. */
  readonly zone?: number;
}

/** A shop of some 600 events an hour at noon: visits of several events, a day's rhythm, lognormal amounts. */
function shop(seed: number, plant?: Plant, options: { rhythm?: boolean; growth?: number } = {}): TriageInput {
  const random = seeded(seed);
  const hours = new Map<string, { hour: number; channel: string; rows: number; money_rows: number; amount_rows: number; amount_total: number }>();
  const arrivals = new Map<string, { hour: number; channel: string; rows: number; lag_median_ms: number }>();
  const from = START, since = START + USUAL_H * HOUR_MS, to = since + WINDOW_H * HOUR_MS;
  for (let h = 0; h < USUAL_H + WINDOW_H; h++)
    for (const [channel, share] of Object.entries(SHARES)) {
      const broken = plant?.when(h - USUAL_H, channel) === true ? plant : undefined;
      if (broken?.drop === true) continue;
      const rate = 100 * share * (options.rhythm === false ? 1 : 1 + 0.8 * Math.sin((2 * Math.PI * (h - 8)) / DAY_H)) * (1 + (options.growth ?? 0) * h);
      let visits = 0;
      for (let left = random.exponential(); left < rate; left += random.exponential()) visits++;
      if (visits === 0) continue;
      const time = START + (h + (broken?.zone ?? 0)) * HOUR_MS;
      if (time >= to) continue;
      const key = `${channel}|${time}`;
      const hour = hours.get(key) ?? { hour: time, channel, rows: 0, money_rows: 0, amount_rows: 0, amount_total: 0 };
      for (let i = 0; i < visits; i++) {
        hour.rows += 2 + random.below(8);
        if (!random.chance(0.3)) continue;
        hour.money_rows++;
        const amount = Math.exp(3.7 + 0.7 * random.normal());
        const sent = broken?.amount === undefined ? amount : broken.amount(amount);
        if (sent !== null) { hour.amount_rows++; hour.amount_total += sent; }
      }
      hours.set(key, hour);
      arrivals.set(key, { hour: time, channel, rows: hour.rows, lag_median_ms: 40 + 20 * random() - (broken?.zone ?? 0) * HOUR_MS });
    }
  return { from, since, to, hours: [...hours.values()].sort((a, b) => a.hour - b.hour), arrivals: [...arrivals.values()].sort((a, b) => a.hour - b.hour), broken: [] };
}
const hourOf = (input: TriageInput, time: number): number => (time - input.since) / HOUR_MS;
const told = (input: TriageInput): string[] => findDataBugs(input).map(({ cause, channel, from, to }) => `${cause} ${channel === '' ? 'all' : channel} ${hourOf(input, from)}-${hourOf(input, to)}`);
const within = (from: number, to: number, of?: string) => (hour: number, channel: string): boolean => hour >= from && hour < to && (of === undefined || channel === of);
/** One finding of that cause and channel, its hours right to a few at either end. */
function holds(test: Test, input: TriageInput, cause: Finding['cause'], channel: string, from: number, to: number): Finding {
  const found = findDataBugs(input);
  test.same(found.map((one) => [one.cause, one.channel]), [[cause, channel]], told(input).join(', '));
  const [one] = found;
  test.ok(Math.abs(hourOf(input, one!.from) - from) <= 3 && Math.abs(hourOf(input, one!.to) - to) <= 3, `${hourOf(input, one!.from)} to ${hourOf(input, one!.to)}, planted ${from} to ${to}`);
  return one!;
}

t.test('nothing is found where nothing is broken', async (t) => {
  for (let seed = 1; seed <= 20; seed++) t.same(told(shop(seed)), [], `seed ${seed}`);
  for (let seed = 1; seed <= 5; seed++) t.same(told(shop(seed, undefined, { rhythm: false, growth: 0.002 })), [], `seed ${seed}, growing`);
  t.same(told(shop(1, { when: within(0, 999), amount: (amount) => 1.6 * amount })), [], 'dearer goods are no other unit');
  t.same(told(shop(2, { when: (hour) => hour >= 0 && hour % 2 === 0, drop: true })), [], 'half of the traffic is no dead producer');
});

t.test('a burst of missing amounts', async (t) => {
  holds(t, shop(3, { when: within(100, 124), amount: () => null }), 'null_burst', '', 100, 124);
  holds(t, shop(4, { when: within(60, 168, 'ios'), amount: () => null }), 'null_burst', 'ios', 60, 168);
});

t.test('another unit', async (t) => {
  for (const factor of [100, 0.01, 1000, 0.001]) {
    const found = holds(t, shop(5, { when: within(120, 140), amount: (amount) => amount * factor }), 'unit_change', '', 120, 140);
    t.match(found.sentence, factor > 1 ? `×${factor}` : `÷${Math.round(1 / factor)}`);
  }
  holds(t, shop(6, { when: within(30, 168, 'android'), amount: (amount) => 100 * amount }), 'unit_change', 'android', 30, 168);
});

t.test('a dead producer: everything, or one channel', async (t) => {
  holds(t, shop(7, { when: within(80, 92), drop: true }), 'dead_producer', '', 80, 92);
  holds(t, shop(8, { when: within(96, 168, 'web'), drop: true }), 'dead_producer', 'web', 96, 168);
});

t.test('another time zone: by arrival, and by the rhythm of the day where arrival tells nothing', async (t) => {
  const live = shop(9, { when: within(48, 168, 'ios'), zone: -5 });
  const found = findDataBugs(live).filter(({ cause }) => cause === 'time_zone_shift');
  t.same(found.map(({ channel, value }) => [channel, value]), [['ios', -5]]);
  const replayed = { ...shop(10, { when: within(20, 168), zone: 7 }), arrivals: [] };
  const rhythm = findDataBugs(replayed).filter(({ cause }) => cause === 'time_zone_shift');
  t.same(rhythm.map(({ channel }) => channel), ['']);
  t.ok(Math.abs(rhythm[0]!.value - 7) <= 1, `${rhythm[0]!.value} h`);
});

t.test('what is known to be broken is no measure of what is usual', async (t) => {
  const input = shop(11, { when: (hour) => (hour >= -200 && hour < -20) || hour >= 150, amount: () => null });
  t.same(told(input), [], 'a quarter of the usual amounts missing makes it look usual');
  const known = { ...input, broken: [{ from: input.since - 200 * HOUR_MS, to: input.since - 20 * HOUR_MS, channel: '' }] };
  holds(t, known, 'null_burst', '', 150, 168);
});

t.test('a quarantine keeps its first hour while the bug goes on', async (t) => {
  const at = (hour: number): number => START + hour * HOUR_MS;
  const first = quarantineOf('churn', { cause: 'null_burst', channel: 'web', from: at(10), to: at(20) }, []);
  t.same(first, { known: 'new', quarantine: { id: 'churn/null_burst/web/2026-01-01T10', cause: 'null_burst', channel: 'web', from: at(10), to: at(20) } });
  const known = [first.quarantine];
  t.equal(quarantineOf('churn', { cause: 'null_burst', channel: 'web', from: at(12), to: at(19) }, known).known, 'same');
  t.match(quarantineOf('churn', { cause: 'null_burst', channel: 'web', from: at(12), to: at(44) }, known), { known: 'longer', quarantine: { id: first.quarantine.id, from: at(10), to: at(44) } });
  t.equal(quarantineOf('churn', { cause: 'null_burst', channel: 'web', from: at(45), to: at(50) }, known).known, 'new');
  t.equal(quarantineOf('churn', { cause: 'unit_change', channel: 'web', from: at(12), to: at(19) }, known).known, 'new');
});
