import t from 'tap';
import { distribute } from '../../../../runtime/kafka/sticky-assigner.js';
import { random } from '../../../support/random.js';

const shares = (members: Record<string, number[]>, partitions: number): Record<string, number[]> =>
  Object.fromEntries(distribute(Object.entries(members).map(([memberId, owned]) => ({ memberId, owned })), Array.from({ length: partitions }, (_, i) => i)));

t.same(shares({ a: [] }, 4), { a: [0, 1, 2, 3] }, 'one member has all');
t.same(shares({ a: [0, 1, 2, 3], b: [] }, 4), { a: [0, 1], b: [2, 3] }, 'a newcomer gets its half, the first keeps what it may');
t.same(shares({ a: [0, 1], b: [2, 3] }, 4), { a: [0, 1], b: [2, 3] }, 'nothing moves where nothing must');
t.same(shares({ b: [2, 3] }, 4), { b: [0, 1, 2, 3] }, 'the one who stays takes over');
t.same(shares({ a: [0, 1], b: [0, 1] }, 4), { a: [0, 1], b: [2, 3] }, 'two who claim the same');
t.same(shares({ a: [7, 99], b: [] }, 2), { a: [0], b: [1] }, 'claims on partitions that do not exist');
t.same(shares({ a: [], b: [], c: [] }, 2), { a: [0], b: [1], c: [] }, 'more members than partitions');

t.test('random groups: every partition once, shares even, nothing moved without need', async (t) => {
  const seed = 7;
  t.comment(`seed ${seed}`);
  const next = random(seed);
  for (let round = 0; round < 300; round++) {
    const partitions = 1 + Math.floor(next() * 20);
    const members = Array.from({ length: 1 + Math.floor(next() * 6) }, (_, i) => ({ memberId: `m${i}`, owned: [] as number[] }));
    for (let p = 0; p < partitions; p++) if (next() < 0.7) members[Math.floor(next() * members.length)]!.owned.push(p);
    const result = distribute(members, Array.from({ length: partitions }, (_, i) => i));
    const all = [...result.values()].flat().sort((a, b) => a - b);
    if (all.length !== partitions || all.some((p, i) => p !== i)) t.fail(`round ${round}: not a partition of the partitions`);
    const sizes = [...result.values()].map((share) => share.length);
    if (Math.max(...sizes) - Math.min(...sizes) > 1) t.fail(`round ${round}: uneven`);
    for (const { memberId, owned } of members) {
      const share = result.get(memberId)!;
      if (owned.filter((p) => share.includes(p)).length < Math.min(owned.length, Math.floor(partitions / members.length))) t.fail(`round ${round}: ${memberId} lost what it could keep`);
    }
  }
});
