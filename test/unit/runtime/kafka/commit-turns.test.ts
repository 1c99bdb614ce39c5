import t from 'tap';
import { CommitTurns } from '../../../../runtime/kafka/commit-turns.js';
import { OutputBuffer } from '../../../../runtime/kafka/output-buffer.js';
import type { CommitEntry, OutputWriter, Written } from '../../../../runtime/kafka/output-writer.js';
import type { Membership } from '../../../../runtime/kafka/wire/group-requests.js';
import { until } from '../../../support/wait.js';

const INTERVAL_MS = 5;
interface Write { readonly partitions: number[]; readonly generation: number; finish(): void; refuse(error: Error): void }

/** A writer whose writes end when the test says so. */
function world(options: { rowsMax?: number; commitsMax?: number } = {}) {
  const writes: Write[] = [];
  const group = { generation: 1 };
  const writer: OutputWriter = {
    open: () => Promise.resolve(), close: () => Promise.resolve(), opened: 1,
    write: (entries: readonly CommitEntry[], membership: Membership) => new Promise<Written[]>((resolve, reject) => {
      writes.push({
        partitions: entries.map(({ partition }) => partition), generation: membership.generationId,
        finish: () => resolve(entries.map(({ nextOffset }) => new Map([['out', nextOffset]]))), refuse: reject,
      });
    }),
  };
  let time = 0;
  const turns = new CommitTurns({
    writer, membership: () => ({ memberId: 'm', generationId: group.generation }), now: () => time,
    intervalMs: INTERVAL_MS, rowsMax: options.rowsMax ?? 100, commitsMax: options.commitsMax ?? 2,
  });
  const work = async (partition: number, rows = 1): Promise<Written> => {
    const turn = await turns.next(rows);
    return turns.commit(turn, { partition, output: new OutputBuffer(partition), nextOffset: partition + 10 });
  };
  return {
    writes, turns, work, group,
    /** The interval is over: the next round may begin, with whatever waits by now. */
    pass() { time += INTERVAL_MS; },
    written: (count: number): Promise<void> => until(`${count} writes`, () => writes.length >= count),
  };
}
const soon = (ms = 0): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

t.test('partitions that are due at the same time share a commit; each learns its own end', async (t) => {
  const { writes, work, pass, written } = world();
  const first = work(0);
  await written(1);
  writes[0]!.finish();
  await first;
  const rest = Promise.all([1, 2, 3].map((partition) => work(partition)));
  pass();
  await written(2);
  t.same(writes.map(({ partitions }) => partitions), [[0], [1, 2, 3]]);
  writes[1]!.finish();
  t.same((await rest).map((ends) => ends.get('out')), [11, 12, 13]);
});

t.test('while one commit is written the next may begin, and no third', async (t) => {
  const { writes, work, pass, written } = world();
  const all = [work(0)];
  await written(1);
  pass();
  all.push(work(1));
  await written(2);
  pass();
  all.push(work(2));
  await soon(5 * INTERVAL_MS);
  t.same(writes.map(({ partitions }) => partitions), [[0], [1]]);
  writes[1]!.finish();
  await written(3);
  t.same(writes.map(({ partitions }) => partitions), [[0], [1], [2]]);
  for (const { finish } of writes) finish();
  await Promise.all(all);
});

t.test('rows beyond the bound wait for the next commit', async (t) => {
  const { writes, work, pass, written } = world({ rowsMax: 10 });
  const all = [work(9, 1)];
  await written(1);
  all.push(work(0, 8), work(1, 8), work(2, 50));
  writes[0]!.finish();
  for (let i = 1; i < 4; i++) {
    pass();
    await written(i + 1);
    t.same(writes[i]!.partitions, [i - 1]);
    writes[i]!.finish();
  }
  await Promise.all(all);
});

t.test('a partition that takes long goes with the next commit', async (t) => {
  const { writes, turns, work, pass, written } = world();
  const first = work(9);
  await written(1);
  const slow = turns.next(1);
  const quick = work(1);
  pass();
  const turn = await slow;
  await written(2);
  t.same(writes.map(({ partitions }) => partitions), [[9], [1]], 'the others did not wait for it');
  pass();
  const late = turns.commit(turn, { partition: 0, output: new OutputBuffer(0), nextOffset: 7 });
  writes[0]!.finish();
  await written(3);
  t.same(writes[2]!.partitions, [0]);
  writes[1]!.finish();
  writes[2]!.finish();
  t.equal((await late).get('out'), 7);
  await Promise.all([first, quick]);
});

t.test('what was worked on under an old generation is not committed under a new one', async (t) => {
  const { writes, turns, work, group, pass, written } = world();
  const turn = await turns.next(1);
  await soon(80); // beyond what a round waits for one that is late
  group.generation = 2;
  const late = turns.commit(turn, { partition: 0, output: new OutputBuffer(0), nextOffset: 7 });
  const fresh = work(1);
  pass();
  await t.rejects(late, { code: 'PRODUCER_FENCED' });
  await written(1);
  t.same(writes.map(({ partitions, generation }) => [partitions, generation]), [[[1], 2]]);
  writes[0]!.finish();
  await fresh;
});

t.test('a failed commit fails each of its partitions, and the next goes on; leaving ends a turn without a commit', async (t) => {
  const { writes, turns, work, pass, written } = world();
  const first = work(9);
  await written(1);
  writes[0]!.finish();
  await first;
  const both = [work(0), work(1)];
  pass();
  await written(2);
  writes[1]!.refuse(new Error('no'));
  t.same((await Promise.allSettled(both)).map(({ status }) => status), ['rejected', 'rejected']);
  pass();
  turns.leave(await turns.next(1));
  const after = work(2);
  pass();
  await written(3);
  t.same(writes[2]!.partitions, [2]);
  writes[2]!.finish();
  await after;
});
