import t from 'tap';
import { hashId } from '../../../../schemas/events/hash-id.js';

t.test('it is written to state: these values never change', async (t) => {
  t.equal(hashId(''), 3_338_908_027_751_811);
  t.equal(hashId('e-1'), hashId('e-1'));
  t.same(['a', 'b', 'revenge', 'revenue', 'ü€🛒'].map(hashId), [7_929_297_801_672_961, 8_684_336_938_537_663, 4_051_478_007_546_757, 8_309_097_637_345_594, 2_310_491_206_303_207]);
});

t.test('a million ids that differ little have a million hashes, spread evenly', async (t) => {
  const seen = new Set<number>();
  const buckets = new Uint32Array(64);
  for (let i = 0; i < 1_000_000; i++) {
    const hash = hashId(`event-${i}`);
    seen.add(hash);
    buckets[Math.floor(hash / 2 ** 47)]!++;
  }
  t.equal(seen.size, 1_000_000);
  t.ok([...seen].every(Number.isSafeInteger));
  for (const count of buckets) if (Math.abs(count - 15_625) > 625) t.fail(`a bucket of ${count}, expected about 15625`);
});
