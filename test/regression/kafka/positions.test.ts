import t from 'tap';
import { createKafka } from '../../../runtime/kafka/client.js';
import { OutputBuffer } from '../../../runtime/kafka/output-buffer.js';
import { createTransactionWriter } from '../../../runtime/kafka/transaction-writer.js';
import { NOBODY } from '../../../runtime/kafka/wire/group-requests.js';
import { TidemarkError } from '../../../runtime/errors.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { complaint, caughtUp, createRelayTopics, relayed, RELAY_IN, sendNumbers, startRelay } from '../../support/relay.js';
import { until } from '../../support/wait.js';

const PARTITIONS = 2;
t.setTimeout(200_000);
const { settings } = await startCluster(t, { kafka: true, partitions: PARTITIONS, settings: { KAFKA_SESSION_TIMEOUT_MS: '6000', BATCH_ROWS_MAX: '500' } });
const kafka = createKafka(settings, testLog);
await createRelayTopics(kafka, PARTITIONS);
const admin = kafka.admin();
await admin.connect();
t.teardown(() => admin.disconnect());
const codes = (failures: readonly unknown[]): string[] => failures.map((failure) => (failure instanceof TidemarkError ? failure.code : String(failure)));
let sent = 0;
const send = async (count: number): Promise<void> => {
  await sendNumbers(kafka, sent, count, PARTITIONS);
  sent += count;
};

t.test('a handler that blocks longer than the session keeps its partitions (kafkajs #1568)', async (t) => {
  let opened = 0;
  let blocked = false;
  const relay = await startRelay(settings, {
    partitions: PARTITIONS, onOpen: () => { opened++; },
    async onProcess() {
      if (blocked) return;
      blocked = true;
      await new Promise((resolve) => setTimeout(resolve, 9000));
    },
  });
  await send(2000);
  await until('all relayed', () => caughtUp(kafka, sent));
  t.same([opened, relay.failures], [PARTITIONS, []], 'no rebalance');
  t.equal(complaint(await relayed(kafka), sent), undefined);
  await relay.stop();
});

t.test('members come and go: everything once', async (t) => {
  const first = await startRelay(settings, { partitions: PARTITIONS });
  const flow = (async () => { for (let i = 0; i < 20; i++) { await send(500); await new Promise((resolve) => setTimeout(resolve, 100)); } })();
  await until('the first has all', () => first.state().length === PARTITIONS && first.state().every(({ open }) => open));
  const second = await startRelay({ ...settings, INSTANCE: 'second' }, { partitions: PARTITIONS });
  await until('the second has a share', () => second.state().some(({ open }) => open));
  t.equal(first.state().length, PARTITIONS - 1);
  await second.stop();
  await until('the first has all again', () => first.state().length === PARTITIONS);
  await flow;
  await until('all relayed', () => caughtUp(kafka, sent));
  t.equal(complaint(await relayed(kafka), sent), undefined);
  t.same([first.failures, second.failures], [[], []]);
  await first.stop();
});

t.test('retention has overtaken the committed position: an error with the way out, not a silent jump', async (t) => {
  await send(1000);
  const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets(RELAY_IN);
  await admin.deleteTopicRecords({ topic: RELAY_IN, partitions: [{ partition: 0, offset: high }] });
  const relay = await startRelay(settings, { partitions: PARTITIONS });
  await until('a failure', () => relay.failures.length > 0);
  t.equal(codes(relay.failures)[0], 'OFFSET_EXPIRED');
  t.match(String(relay.failures[0]), /relay-in-0.*--reset-offsets --to-earliest/, 'names the partition and the command');
  await relay.stop();
  const accept = createTransactionWriter({ kafka: createKafka(settings, testLog, 'transactional'), groupId: 'relay', topic: RELAY_IN, identity: 'accept', deadlineMs: 15_000 });
  await accept.open();
  await accept.write([{ partition: 0, output: new OutputBuffer(0), nextOffset: Number(high) }], NOBODY);
  await accept.close();
});

t.test('the topic gets more partitions while it is read: an error, as customers would stand elsewhere', async (t) => {
  const relay = await startRelay(settings, { partitions: PARTITIONS });
  await until('assigned', () => relay.state().length === PARTITIONS);
  await admin.createPartitions({ topicPartitions: [{ topic: RELAY_IN, count: PARTITIONS + 1 }] });
  const nudge = await startRelay({ ...settings, INSTANCE: 'nudge' }, { partitions: PARTITIONS }); // a rebalance makes kafkajs look
  await until('a failure', () => relay.failures.length + nudge.failures.length > 0);
  t.ok([...codes(relay.failures), ...codes(nudge.failures)].includes('PARTITION_COUNT_CHANGED'));
  t.match(String([...relay.failures, ...nudge.failures][0]), /relay-in: customers are spread over 2 partitions, the topic now has more.*tidemark up --events/, 'with the way out');
  await nudge.stop();
  await relay.stop();
});
