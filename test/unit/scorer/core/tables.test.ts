import t from 'tap';
import { createBudget } from '../../../../scorer/core/budget.js';
import { chooseChunkRows } from '../../../../scorer/core/chunk.js';
import { decide, isScore } from '../../../../scorer/core/decision.js';
import { isoTimes } from '../../../../scorer/core/iso-times.js';
import { wanted } from '../../../../scorer/core/selection.js';
import { readVarint, skipVarint, writeVarint } from '../../../../scorer/core/wire.js';

t.test('chunk size: the smallest whose rows cost about the best, in calls that are short', async (t) => {
  const cost = (...pairs: [number, number][]) => pairs.map(([rows, us_per_row]) => ({ rows, us_per_row }));
  const cases: [string, ReturnType<typeof cost>, number][] = [
    ['the knee', cost([1, 9.3], [8, 6.2], [64, 5.2], [128, 5.1], [512, 5.0]), 64],
    ['the best itself', cost([1, 10], [8, 9], [64, 8], [512, 4]), 512],
    ['a flat cost: as few as are worth a call', cost([1, 5], [16, 5], [32, 5], [64, 5], [512, 5]), 32],
    ['a slow model is asked briefly', cost([1, 900], [4, 800], [8, 600], [64, 500]), 4],
    ['one row too slow', cost([1, 9000], [2, 8000]), 1],
  ];
  for (const [name, costs, expected] of cases) t.equal(chooseChunkRows(costs), expected, name);
});

t.test('decision', async (t) => {
  t.equal(decide(0.5, 0.5), 'at_risk', 'from the threshold on');
  t.equal(decide(0.4999, 0.5), 'keep');
  for (const [score, good] of [[0, true], [1, true], [Number.NaN, false], [1.01, false], [-0.01, false], [Infinity, false]] as const) t.equal(isScore(score), good, String(score));
});

t.test('moments are written as Date does, forwards and backwards', async (t) => {
  const iso = isoTimes();
  const [newYear, leapDay] = [Date.UTC(2026, 0, 1), Date.UTC(2028, 1, 29)];
  for (const ms of [newYear - 1, newYear, newYear + 9, newYear + 10, newYear + 99, newYear + 100, newYear + 999, newYear + 1000, newYear + 5, leapDay, 0, 1])
    t.equal(iso(ms), new Date(ms).toISOString());
});

t.test('what a scorer serves: what fits its view and was not refused, the newest decision first', async (t) => {
  const known = new Map(['a', 'b', 'c', 'd', 'e'].map((version, offset) => [version, { offset, fits: version !== 'd' }]));
  const challenger = (version: string) => ({ version, mode: 'shadow', share: 0, at: 0, first_at: 0, by: '', entry_id: '' }) as const;
  const of = (champions: string, beside: string | undefined, refused: readonly number[] = []): string => {
    const deployment = { champion: champions[0], since: 0, entry_id: '', champions: [...champions], challenger: beside === undefined ? undefined : challenger(beside) };
    const found = wanted(deployment, known, new Set(refused));
    return `${found.champions.join('')} ${found.challenger?.version ?? '-'}`;
  };
  t.equal(of('ba', undefined), 'ba -');
  t.equal(of('ba', 'c'), 'ba c');
  t.equal(of('ba', 'c', [1, 2]), 'a -', 'refused: the champion before, no trial');
  t.equal(of('xba', 'x'), 'ba -', 'named before it is known');
  t.equal(of('dba', 'd'), 'ba -', 'of another view');
  t.equal(of('edcba', undefined), 'ecb -', 'at most three');
  t.equal(of('', undefined), ' -');
});

t.test('a budget of time: what is not used is saved up to a bound, what is overdrawn is waited for', async (t) => {
  const budget = createBudget(0.25, 20);
  t.ok(budget.left(1000));
  budget.spend(25);
  t.notOk(budget.left(1000));
  t.notOk(budget.left(1019), '4.75 of 5 ms are back');
  t.ok(budget.left(1021));
  budget.spend(0.5);
  t.ok(budget.left(100_000));
  budget.spend(19.9);
  t.ok(budget.left(100_000), 'no more than 20 ms were saved');
  budget.spend(0.2);
  t.notOk(budget.left(100_000));
  t.notOk(createBudget(0).left(5), 'none at all');
});

t.test('varints within ±2^52', async (t) => {
  const bytes = new Uint8Array(16);
  for (const value of [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 1_700_000_000_123, 2 ** 52 - 1, 1 - 2 ** 52]) {
    const end = writeVarint(value, bytes, 2);
    t.equal(readVarint(bytes, 2), value, String(value));
    t.equal(skipVarint(bytes, 2, end), end);
    t.equal(skipVarint(bytes, 2, end - 1), -1, 'cut off');
  }
  t.equal(skipVarint(new Uint8Array(20).fill(0x80), 0, 20), -1, 'endless');
});
