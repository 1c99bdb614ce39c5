import t from 'tap';
import { createKafka } from '../../../runtime/kafka/client.js';
import { OutputBuffer } from '../../../runtime/kafka/output-buffer.js';
import type { OutputWriter, Written } from '../../../runtime/kafka/output-writer.js';
import { hasRecords, offsetRanges, readPartition } from '../../../runtime/kafka/read-partition.js';
import { onGeneration, openCoordinator, openPartitionReader } from '../../../runtime/kafka/cluster.js';
import { createTransactionWriter } from '../../../runtime/kafka/transaction-writer.js';
import { NOBODY, type Membership } from '../../../runtime/kafka/wire/group-requests.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { PartitionedRecords } from '../../../runtime/kafka/wire/partitioned-records.js';
import { createRelayTopics, relayed, RELAY_IN, RELAY_OUT } from '../../support/relay.js';
import { until } from '../../support/wait.js';

const { settings } = await startCluster(t, { kafka: true });
const kafka = createKafka(settings, testLog);
const transactional = createKafka(settings, testLog, 'transactional');
await createRelayTopics(kafka, 2);
const writerOf = (groupId: string, identity = 'process', recordsMax?: number): OutputWriter =>
  createTransactionWriter({ kafka: transactional, groupId, topic: RELAY_IN, identity, deadlineMs: 15_000, ...(recordsMax === undefined ? {} : { recordsMax }) });
const write = async (writer: OutputWriter, output: OutputBuffer, nextOffset: number, membership = NOBODY): Promise<Written> =>
  (await writer.write([{ partition: 0, output, nextOffset }], membership))[0]!;
const numbered = (first: number, count: number, valueBytes = 10, partition = 0): OutputBuffer => {
  const output = new OutputBuffer(partition);
  for (let i = 0; i < count; i++) output.append(RELAY_OUT, Buffer.from(String(first + i)), Buffer.alloc(valueBytes));
  return output;
};
const committedOffset = async (groupId: string, on = 0): Promise<number> => {
  const admin = kafka.admin();
  await admin.connect();
  const [group] = await admin.fetchOffsets({ groupId, topics: [RELAY_IN] });
  await admin.disconnect();
  return Number(group!.partitions.find(({ partition }) => partition === on)!.offset);
};

t.test('transactions follow each other at once: the coordinator is still busy with the last one (kafkajs #430, #1315)', async (t) => {
  const writer = writerOf('concurrent');
  await writer.open();
  const before = (await relayed(kafka)).length;
  for (let i = 0; i < 60; i++) {
    const written = await write(writer, numbered(i * 3, 3), i + 1);
    t.ok(written.get(RELAY_OUT)! >= before + 3);
  }
  t.equal(await committedOffset('concurrent'), 60);
  t.equal((await relayed(kafka)).length - before, 180);
  await writer.close();
});

t.test('several partitions in one transaction, one of which sends something on to the other', async (t) => {
  const writer = writerOf('several');
  await writer.open();
  const before = (await relayed(kafka)).length;
  const outputs = [numbered(0, 3), numbered(3, 2, 10, 1)];
  outputs[0]!.appendTo(RELAY_OUT, 1, Buffer.from('5'), Buffer.from('x'));
  const written = await writer.write(outputs.map((output, partition) => ({ partition, output, nextOffset: 10 + partition })), NOBODY);
  t.ok(written.every((ends) => ends.get(RELAY_OUT)! > 0));
  t.equal((await relayed(kafka)).length - before, 6);
  t.same([await committedOffset('several'), await committedOffset('several', 1)], [10, 11]);
  await writer.close();
});

t.test('transactions with a position and no record: its first call is one that kafkajs does not retry', async (t) => {
  const writer = writerOf('empty');
  await writer.open();
  for (let i = 1; i <= 30; i++) await write(writer, new OutputBuffer(0), i);
  await writer.close();
  t.equal(await committedOffset('empty'), 30);
});

t.test('the same process started again: its former self can commit by neither of its ids', async (t) => {
  const zombie = writerOf('fence');
  const owner = writerOf('fence');
  await zombie.open();
  await write(zombie, numbered(1000, 1), 1);
  const before = (await relayed(kafka)).length;
  await owner.open();
  for (let turn = 0; turn < 2; turn++) await t.rejects(write(zombie, numbered(2000, 5), 99), { code: 'PRODUCER_FENCED' });
  await write(owner, numbered(3000, 2), 2);
  t.equal(await committedOffset('fence'), 2, 'the position is the owner’s');
  t.equal((await relayed(kafka)).length - before, 2, 'nothing of the former owner is visible');
  await zombie.close();
  await owner.close();
});

t.test('a member of a former generation cannot commit (KIP-447, which kafkajs lacks)', async (t) => {
  const generations: Membership[] = [];
  const join = async (): Promise<() => Promise<void>> => {
    const consumer = onGeneration(createKafka(settings, testLog), (membership) => generations.push(membership)).consumer({ groupId: 'generation', sessionTimeout: 6000 });
    await consumer.connect();
    await consumer.subscribe({ topics: [RELAY_IN] });
    await consumer.run({ eachBatch: () => Promise.resolve() });
    return () => consumer.disconnect();
  };
  const leave = await join();
  await until('a generation', () => generations.length > 0);
  const former = generations[0]!;
  const writer = writerOf('generation', 'former');
  await writer.open();
  const before = (await relayed(kafka)).length;
  await write(writer, numbered(1, 1), 1, former);
  const leaveToo = await join();
  await until('the next generation', () => generations.some(({ generationId }) => generationId > former.generationId));
  await t.rejects(write(writer, numbered(2, 1), 2, former), { code: 'PRODUCER_FENCED' });
  await writer.open();
  await t.rejects(write(writer, numbered(2, 1), 2, { ...former, memberId: 'nobody' }), { code: 'PRODUCER_FENCED' });
  await writer.open();
  t.equal((await relayed(kafka)).length - before, 1, 'nothing of the former generation is visible');
  t.equal(await committedOffset('generation'), 1);
  await writer.close();
  await Promise.all([leave(), leaveToo()]);
});

t.test('a process that dies in the middle of a transaction leaves nothing behind', async (t) => {
  const before = (await relayed(kafka)).length;
  const dying = transactional.producer({ transactionalId: 'left-process-0', idempotent: true, maxInFlightRequests: 1 });
  await dying.connect();
  const transaction = await dying.transaction();
  const output = PartitionedRecords.of([...numbered(-1, 1).rounds()][0]![0]!.messages);
  await transaction.sendBatch({ topicMessages: [{ topic: RELAY_OUT, messages: output as never }] });
  await transaction.sendOffsets({ consumerGroupId: 'left', topics: [{ topic: RELAY_IN, partitions: [{ partition: 0, offset: '77' }] }] });
  const coordinator = await openCoordinator(kafka, 'left');
  let stable: number | undefined;
  const reading = coordinator.stableOffset(RELAY_IN, 0).then((offset) => { stable = offset; });
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal(stable, undefined, 'while it is undecided nobody takes a position over');
  const successor = writerOf('left');
  await successor.open();
  await reading;
  t.equal(stable, -1, 'the same process, started again, has ended it');
  await write(successor, numbered(4000, 1), 1);
  t.equal((await relayed(kafka)).length - before, 1);
  await Promise.all([dying.disconnect(), successor.close(), coordinator.close()]);
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
  const writer = writerOf('large');
  await writer.open();
  const before = (await relayed(kafka)).length;
  await write(writer, numbered(10_000, 300, 10_000), 1);
  t.equal((await relayed(kafka)).length - before, 300);
  await writer.close();
});

t.test('sequence numbers never come near their wrap: a producer is made anew before', async (t) => {
  const writer = writerOf('wrap', 'process', 100);
  await writer.open();
  const before = (await relayed(kafka)).length;
  for (let i = 0; i < 12; i++) await write(writer, numbered(20_000 + i * 30, 30), i + 1);
  t.equal((await relayed(kafka)).length - before, 360);
  t.equal(writer.opened, 4, 'two at first, each once more after three commits of 30 records at most 100 a producer');
  await writer.close();
});
