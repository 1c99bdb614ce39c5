import t from 'tap';
import { createKafka } from '../../runtime/kafka/client.js';
import { kafkajs } from '../../runtime/kafka/kafkajs.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { PartitionedRecords } from '../../runtime/kafka/wire/partitioned-records.js';
import { EncodedRecords } from '../../runtime/kafka/wire/record-writer.js';
import { freePort } from '../../runtime/ports.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { TOPICS } from '../../schemas/topics.js';
import { compileReducer } from '../../stream-processors/features/core/reducer.js';
import { Child } from '../support/child.js';
import { startCluster, testLog } from '../support/cluster.js';
import { complaintOf, expectedOf, featureOutputs } from '../support/feature-outputs.js';
import { take } from '../support/features.js';
import { randomHistory, type HistoryRecord } from '../support/history.js';
import { until } from '../support/wait.js';

const SEED = 43;
const PARTITIONS = 2;
/** Customers a partition of whom nothing more is heard: they make the changelog long. */
const SILENT = 400_000;
t.comment(`seed ${SEED}`);
t.setTimeout(300_000);

const cluster = await startCluster(t, {
  kafka: true, registry: true, partitions: PARTITIONS,
  settings: { KAFKA_SESSION_TIMEOUT_MS: '6000', SWEEP_INTERVAL_S: '0', LOG_LEVEL: 'info' },
});
const { settings } = cluster;
const kafka = createKafka(settings, testLog);
await ensureTopics(kafka, settings, Object.values(TOPICS));

const history = randomHistory({ seed: SEED, customers: 40, eventsPerCustomer: 60, partitions: PARTITIONS })
  .map((event) => ({ ...event, event_time: event.event_time - 3650 * 86_400_000 }));
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();
t.teardown(() => producer.disconnect());

const publish = (events: readonly HistoryRecord[]): Promise<unknown> => producer.send({
  topic: TOPICS.events.name, acks: -1,
  messages: events.map(({ kafka_partition: _p, kafka_offset: _o, ...event }) => ({
    partition: partitionOf(event.customer_id, PARTITIONS), key: event.customer_id, value: JSON.stringify({ ...event, channel: 'web', properties: {} }),
  })),
});

/** Writes states of customers that nobody hears of again. */
async function fillChangelog(): Promise<void> {
  const reducer = compileReducer(customerActivity);
  const state = reducer.create();
  for (const event of history.filter(({ customer_id }) => customer_id === 'c0')) take(reducer, state, event);
  const bytes = Buffer.alloc(reducer.encodedBytesMax(state));
  const end = reducer.encode(state, bytes, 0);
  t.comment(`${PARTITIONS * SILENT} silent customers of ${end} bytes each`);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const records = new EncodedRecords(partition);
    for (let i = 0; i < SILENT; i++) {
      records.appendText(`silent-${partition}-${i}`, bytes, 0, end);
      if (records.bytes < 800_000 && i < SILENT - 1) continue;
      await producer.send({ topic: TOPICS.changelog.name, messages: PartitionedRecords.of(records) as never });
      records.clear();
    }
  }
}

async function processor(instance: string): Promise<Child & { answers(): Promise<boolean>; restored(): Promise<number>; told(event: string): number }> {
  const port = await freePort();
  const child = new Child('features-process.js', { ...cluster.env, INSTANCE: instance, FEATURES_METRICS_PORT: String(port) });
  t.teardown(() => child.kill());
  return Object.assign(child, {
    answers: () => fetch(`http://127.0.0.1:${port}/metrics`).then(() => true, () => false),
    /** The least share that a partition under way has restored; 0 before the first. */
    async restored() {
      const metrics = await fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text(), () => '');
      const ratios = [...metrics.matchAll(/^tidemark_features_restore_ratio\{.*\} (\S+)$/gm)].map(([, ratio]) => Number(ratio));
      return ratios.length === 0 ? 0 : Math.min(...ratios);
    },
    told: (event: string) => child.lines.filter((line) => line.includes(`"event":"${event}"`)).length,
  });
}
const midway = async (child: Awaited<ReturnType<typeof processor>>, from: number): Promise<void> =>
  until('a restore under way', async () => { const ratio = await child.restored(); return ratio > from && ratio < 0.9; });

t.test('processes join, leave and are killed while a long restore is under way: every event counts once', async (t) => {
  await fillChangelog();
  const third = Math.floor(history.length / 3);
  const before = await processor('before');
  before.start();
  await publish(history.slice(0, third));
  const { features, deadLetterReasons } = featureOutputs(settings);
  const firstOutputs = expectedOf(history.slice(0, third)).accepted.length;
  await until('the first third', async () => (await features()).length >= firstOutputs);
  await before.stop();

  // From here on nobody has a disk: everything is restored from the changelog.
  await publish(history.slice(third, 2 * third));
  const stays = await processor('stays');
  stays.start();
  await midway(stays, 0);
  process.kill(stays.pid!, 'SIGSTOP'); // a second process takes seconds to start: the restore waits for it
  const leaves = await processor('leaves');
  leaves.start();
  await until('the second is about to join', () => leaves.answers());
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.kill(stays.pid!, 'SIGCONT');
  await until('both have a share', () => stays.told('assigned') > 0 && leaves.told('assigned') > 0);
  t.equal(stays.told('restored'), 0, 'the group rebalanced while the first restored');
  await midway(leaves, 0.02);
  const joined = stays.told('assigned');
  await leaves.stop();
  t.equal(leaves.told('partition_ready'), 0, 'it left in the middle of its restore');
  t.match(leaves.lines.at(-1), /"stopped"/, 'in order');
  await publish(history.slice(2 * third));
  await until('the partition is back', () => stays.told('assigned') > joined);
  const dies = await processor('dies');
  dies.start();
  await midway(dies, 0.02);
  await dies.kill();
  t.equal(dies.told('partition_ready'), 0, 'it was killed in the middle of its restore');

  const { accepted, tooLate } = expectedOf(history);
  await until('all outputs', async () => (await features()).length >= accepted.length && (await deadLetterReasons()).length >= tooLate);
  const found = await features();
  t.equal(found.length, accepted.length, 'as many outputs as accepted events');
  t.equal((await deadLetterReasons()).length, tooLate, 'and as many dead letters as late ones');
  t.equal(complaintOf(history, found), undefined, 'the vector after every event is the oracle’s');
  t.same([stays.died, leaves.died, dies.died], [[], [], []], 'no process ended by itself');
  await stays.stop();
});
