import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { KafkaRecord } from '../../../../runtime/kafka/records.js';
import { Log } from '../../../../runtime/log.js';
import type { Committer, PartitionCommit } from '../../../../stream-processors/landing/committer.js';
import { PartitionLander } from '../../../../stream-processors/landing/partition-lander.js';
import type { TableSpec } from '../../../../stream-processors/landing/table.js';
import { until } from '../../../support/wait.js';

const FLUSH_MS = 20;
const record = (offset: number): KafkaRecord => ({ offset, timestamp: 1_000 + offset, key: null, value: null, headers: {} });

/** A table of one Int64, its offset; what is inserted is read back from the bytes. The first `slow` records take `ms` to be made. */
function startLander(t: { teardown(end: () => void): unknown }, slow: number, ms: number, ready = true) {
  const inserted: number[] = [];
  const tokens: string[] = [];
  const commits: PartitionCommit[] = [];
  const spec: TableSpec = {
    topic: 'topic', table: 'table', columns: ['kafka_offset'],
    encode({ offset }, _partition, out) {
      const write = (): true => { out.reserve(8); out.int64(offset); return true; };
      return offset < slow ? sleep(ms).then(write) : write();
    },
  };
  const committer: Committer = { ready, commit: (commit, wanted) => { if (wanted()) commits.push(commit); return Promise.resolve(wanted()); } };
  const lander = new PartitionLander({
    spec, partition: 0, committer, log: new Log('test', 'error', () => undefined), batchRows: 1000, flushMs: FLUSH_MS, onRoom: () => undefined,
    inserter: {
      trouble: undefined,
      highestOffset: () => Promise.resolve(-1),
      async insert(of, partition, block) {
        await sleep(5);
        tokens.push(block.token(of.topic, partition));
        for (let at = 0; at < block.body.length; at += 8) inserted.push(Number(block.body.readBigInt64LE(at)));
        return true;
      },
    },
  });
  t.teardown(() => lander.close());
  lander.start({ offset: -1, metadata: null }, 0, -1);
  return { lander, inserted, tokens, commits };
}
const beat = (): Promise<void> => Promise.resolve();

t.test('a record that takes longer than a flush to be made (its schema is fetched) is landed', async (t) => {
  for (const slow of [1, 3]) {
    const { lander, inserted, tokens } = startLander(t, slow, FLUSH_MS * 4);
    await lander.take([0, 1, 2, 3, 4].map(record), 5, beat);
    await until('all rows', () => inserted.length >= 5, 5000);
    await lander.drain();
    t.same(inserted, [0, 1, 2, 3, 4], 'each once');
    t.same(tokens, ['topic-0-0-5-1000-1004'], 'in one block whose boundaries hold what it holds');
  }
});

t.test('a stop while a record is being made: what stands before it is landed, it is left to the next owner', async (t) => {
  const { lander, inserted, commits } = startLander(t, 100, FLUSH_MS * 2);
  const taking = lander.take([0, 1, 2, 3].map(record), 4, beat);
  await until('the second record', () => lander.position === 1, 5000);
  await lander.drain();
  await taking;
  t.same(inserted, [0]);
  t.equal(commits.at(-1)?.offset, 1, 'the next owner begins at the record that was being made');
  t.equal(commits.at(-1)?.metadata, '');
});

t.test('a group that has fetched nothing yet has no way to commit: a stop does not wait for one', async (t) => {
  const { lander, commits } = startLander(t, 0, 0, false);
  await lander.drain();
  t.same(commits, []);
});
