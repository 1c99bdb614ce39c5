import t from 'tap';
import { createKafka } from '../../../runtime/kafka/client.js';
import { OutputBuffer } from '../../../runtime/kafka/output-buffer.js';
import { createTransactionalProducer } from '../../../runtime/kafka/partition-producer.js';
import { hasRecords, offsetRanges, readPartition } from '../../../runtime/kafka/read-partition.js';
import { openPartitionReader } from '../../../runtime/kafka/cluster.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { createRelayTopics, relayed, RELAY_IN, RELAY_OUT } from '../../support/relay.js';

const { settings } = await startCluster(t, { kafka: true });
const kafka = createKafka(settings, testLog);
const transactional = createKafka(settings, testLog, 'transactional');
await createRelayTopics(kafka, 2);
const producerOf = (groupId: string, recordsMax?: number): ReturnType<typeof createTransactionalProducer> =>
  createTransactionalProducer({ kafka: transactional, groupId, topic: RELAY_IN, partition: 0, deadlineMs: 15_000, ...(recordsMax === undefined ? {} : { recordsMax }) });
const numbered = (first: number, count: number, valueBytes = 10): OutputBuffer => {
  const output = new OutputBuffer(0);
  for (let i = 0; i < count; i++) output.append(RELAY_OUT, Buffer.from(String(first + i)), Buffer.alloc(valueBytes));
  return output;
};
const committedOffset = async (groupId: string): Promise<number> => {
  const admin = kafka.admin();
  await admin.connect();
  const [group] = await admin.fetchOffsets({ groupId, topics: [RELAY_IN] });
  await admin.disconnect();
  return Number(group!.partitions.find(({ partition }) => partition === 0)!.offset);
};

t.test('transactions follow each other at once: the coordinator is still busy with the last one (kafkajs #430, #1315)', async (t) => {
  const producer = producerOf('concurrent');
  await producer.open();
  const before = (await relayed(kafka)).length;
  for (let i = 0; i < 60; i++) {
    const written = await producer.commit(numbered(i * 3, 3), i + 1);
    t.ok(written.get(RELAY_OUT)! >= before + 3);
  }
  t.equal(await committedOffset('concurrent'), 60);
  t.equal((await relayed(kafka)).length - before, 180);
  await producer.close();
});

t.test('transactions with a position and no record: its first call is one that kafkajs does not retry', async (t) => {
  const producer = producerOf('empty');
  await producer.open();
  for (let i = 1; i <= 30; i++) await producer.commit(new OutputBuffer(0), i);
  await producer.close();
  t.equal(await committedOffset('empty'), 30);
});

t.test('a former owner cannot commit: neither of its turns (no KIP-447 in kafkajs)', async (t) => {
  const zombie = producerOf('fence');
  const owner = producerOf('fence');
  await zombie.open();
  await zombie.commit(numbered(1000, 1), 1);
  const before = (await relayed(kafka)).length;
  await owner.open();
  for (let turn = 0; turn < 2; turn++) await t.rejects(zombie.commit(numbered(2000, 5), 99), { code: 'PRODUCER_FENCED' });
  await owner.commit(numbered(3000, 2), 2);
  t.equal(await committedOffset('fence'), 2, 'the position is the owner’s');
  t.equal((await relayed(kafka)).length - before, 2, 'nothing of the former owner is visible');
  await zombie.close();
  await owner.close();
});

t.test('an owner that dies in the middle of a transaction leaves nothing behind', async (t) => {
  const before = (await relayed(kafka)).length;
  const dying = transactional.producer({ transactionalId: `left-${RELAY_IN}-0-0`, idempotent: true, maxInFlightRequests: 1 });
  await dying.connect();
  const transaction = await dying.transaction();
  await transaction.send({ topic: RELAY_OUT, messages: [{ partition: 0, key: '-1', value: 'never' }] });
  const successor = producerOf('left');
  await successor.open();
  await successor.commit(numbered(4000, 1), 1);
  t.equal((await relayed(kafka)).length - before, 1);
  await dying.disconnect();
  await successor.close();
});

t.test('reading ends at a partition whose last records are markers of transactions', async (t) => {
  const [range] = await offsetRanges(kafka, RELAY_OUT);
  const reader = await openPartitionReader(kafka);
  let last = -1;
  const next = await readPartition(reader, { topic: RELAY_OUT, partition: 0, from: 0, to: range!.high, stallMsMax: 5000, onRecords: (records) => { last = records.at(-1)!.offset; } });
  t.equal(next, range!.high, 'the position reaches the end');
  t.ok(last < range!.high - 1, 'though no record stands there');
  await reader.close();
});

t.test('the end of a partition is behind its last record: a reader waits for a commit that is under way (kafkajs gives the last stable offset)', async (t) => {
  const before = await relayed(kafka);
  const [{ high } = { high: NaN }] = await offsetRanges(kafka, RELAY_OUT);
  const writer = transactional.producer({ transactionalId: 'open', idempotent: true, maxInFlightRequests: 1 });
  await writer.connect();
  const transaction = await writer.transaction();
  await transaction.send({ topic: RELAY_OUT, messages: [{ partition: 0, key: '5000', value: 'x' }, { partition: 0, key: '5001', value: 'x' }] });
  t.equal((await offsetRanges(kafka, RELAY_OUT))[0]!.high, high + 2, 'the open transaction counts');
  const reading = relayed(kafka);
  await transaction.commit();
  t.same(new Set(await reading), new Set([...before, 5000, 5001]), 'what was committed while it read is read');
  await writer.disconnect();
});

t.test('a topic that holds nothing but an aborted transaction has no records', async (t) => {
  const writer = transactional.producer({ transactionalId: 'aborting', idempotent: true, maxInFlightRequests: 1 });
  await writer.connect();
  const transaction = await writer.transaction();
  await transaction.send({ topic: RELAY_IN, messages: [{ partition: 1, value: 'never' }] });
  await transaction.abort();
  await writer.disconnect();
  t.ok((await offsetRanges(kafka, RELAY_IN))[1]!.high > 0, 'though it is not empty');
  t.equal(await hasRecords(kafka, RELAY_IN), false);
  t.equal(await hasRecords(kafka, RELAY_OUT), true);
});

t.test('one transaction above the broker’s batch limit: sends do not overlap (kafkajs #598, #353)', async (t) => {
  const producer = producerOf('large');
  await producer.open();
  const before = (await relayed(kafka)).length;
  await producer.commit(numbered(10_000, 300, 10_000), 1);
  t.equal((await relayed(kafka)).length - before, 300);
  await producer.close();
});

t.test('sequence numbers never come near their wrap: the producers are made anew before', async (t) => {
  const producer = producerOf('wrap', 100);
  await producer.open();
  const before = (await relayed(kafka)).length;
  for (let i = 0; i < 12; i++) await producer.commit(numbered(20_000 + i * 30, 30), i + 1);
  t.equal((await relayed(kafka)).length - before, 360);
  t.equal(producer.opened, 4, 'once at first and after every third commit of 30 records at most 100 a producer');
  await producer.close();
});
