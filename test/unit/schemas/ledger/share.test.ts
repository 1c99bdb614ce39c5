import t from 'tap';
import { placeOf, saltOf } from '../../../../schemas/ledger/share.js';

const ids = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`customer-${i}`));
const places = (version: string): number[] => ids.map((id) => placeOf(saltOf(version), id, 0, id.length));
const below = (all: readonly number[], share: number): number => all.filter((place) => place < share).length / all.length;

t.test('customers are spread evenly, and each version has its own order of them', async (t) => {
  const [a, b] = [places('20260115T093000Z-1a2b3c4d'), places('20260115T093000Z-1a2b3c4e')] as [number[], number[]];
  for (const share of [0, 0.01, 0.05, 0.25, 0.5, 1]) t.ok(Math.abs(below(a, share) - share) < 0.012, `${share}: ${below(a, share)}`);
  t.ok(a.every((place) => place >= 0 && place < 1));
  const both = a.filter((place, i) => place < 0.25 && b[i]! < 0.25).length / a.length;
  t.ok(Math.abs(both - 0.0625) < 0.012, `in both quarters: ${both}`);
});

t.test('a place is the same wherever the bytes stand, and never changes', async (t) => {
  const bytes = Buffer.from('xxC42yy');
  t.equal(placeOf(saltOf('v1'), bytes, 2, 5), placeOf(saltOf('v1'), Buffer.from('C42'), 0, 3));
  t.equal(placeOf(saltOf('v1'), Buffer.from('C42'), 0, 3), 0.32022422715090215);
});
