import t from 'tap';
import { trialsOf, type Dimension } from '../../../../trainer/core/search.js';

const space: Dimension[] = [
  { name: 'depth', min: 2, max: 6, scale: 'linear', whole: true },
  { name: 'rate', min: 0.01, max: 1, scale: 'log' },
  { name: 'rows', min: 5, max: 500, scale: 'log', whole: true },
];

t.test('the starts first, then draws inside the space', async (t) => {
  const trials = trialsOf([{ depth: 3, rate: 0.1, rows: 20, kept: 9 }, { depth: 5, rate: 0.1, rows: 20, kept: 9 }], space, 2000, 7);
  t.equal(trials.length, 2000);
  t.same(trials.slice(0, 2).map(({ depth }) => depth), [3, 5]);
  for (const trial of trials.slice(2))
    for (const { name, min, max, whole } of space)
      if (!(trial[name]! >= min && trial[name]! <= max && (!whole || Number.isInteger(trial[name])))) t.fail(`${name}: ${trial[name]}`);
  t.same([...new Set(trials.map(({ depth }) => depth))].sort(), [2, 3, 4, 5, 6]);
  const low = trials.slice(2).filter(({ rate }) => rate! < 0.1).length;
  t.ok(Math.abs(low - 999) < 120, `${low} of 1998 below the middle of the logarithm`);
  t.ok(trials.every(({ kept }) => kept === 9));
});

t.test('the same seed tries the same, a longer search begins as a shorter one, another seed tries others', async (t) => {
  const start = [{ depth: 3, rate: 0.1, rows: 20 }] as const;
  t.same(trialsOf([...start], space, 10, 7), trialsOf([...start], space, 50, 7).slice(0, 10));
  t.notSame(trialsOf([...start], space, 10, 7), trialsOf([...start], space, 10, 8));
  t.same(trialsOf([...start], space, 3, 7, { depth: 6 }).map(({ depth }) => depth), [6, 6, 6], 'what is fixed stays');
});
