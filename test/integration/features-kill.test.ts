import t from 'tap';
import { createKafka } from '../../runtime/kafka/client.js';
import { kafkajs } from '../../runtime/kafka/kafkajs.js';
import { freePort } from '../../runtime/ports.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { TOPICS } from '../../schemas/topics.js';
import { Child } from '../support/child.js';
import { startCluster, testLog } from '../support/cluster.js';
import { complaintOf, expectedOf, featureOutputs } from '../support/feature-outputs.js';
import { randomHistory } from '../support/history.js';
import { seeded } from '../support/random.js';
import { until } from '../support/wait.js';

const SEED = 41;
const PARTITIONS = 3;
const KILLS = 6;
t.comment(`seed ${SEED}`);
t.setTimeout(400_000);

const cluster = await startCluster(t, {
  kafka: true, registry: true, partitions: PARTITIONS,
  settings: { KAFKA_SESSION_TIMEOUT_MS: '6000', BATCH_ROWS_MAX: '200', SWEEP_INTERVAL_S: '0', LOG_LEVEL: 'info' },
});
const { settings } = cluster;
const kafka = createKafka(settings, testLog);
await ensureTopics(kafka, settings, Object.values(TOPICS));

/** Ten years back, as events of the future are refused. */
const history = randomHistory({ seed: SEED, customers: 60, eventsPerCustomer: 150, partitions: PARTITIONS })
  .map((event) => ({ ...event, event_time: event.event_time - 3650 * 86_400_000 }));
/** Some producers choose other partitions than Java's: all events of these customers arrive on a wrong one. */
const astray = (customer: string): boolean => Number(customer.slice(1)) % 10 === 3;
const home = (customer: string): number => partitionOf(customer, PARTITIONS);

const random = seeded(SEED);
const ports = [await freePort(), await freePort()];
const processes = ports.map((port, i) => new Child('features-process.js', { ...cluster.env, INSTANCE: String(i), FEATURES_METRICS_PORT: String(port) }));
t.teardown(async () => { for (const child of processes) await child.kill(); });

async function publish(): Promise<void> {
  const producer = kafka.producer({ idempotent: true, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let at = 0; at < history.length; at += 100) {
    await producer.send({
      topic: TOPICS.events.name, acks: -1,
      messages: history.slice(at, at + 100).map(({ kafka_partition: _p, kafka_offset: _o, ...event }) => ({
        partition: astray(event.customer_id) ? (home(event.customer_id) + 1) % PARTITIONS : home(event.customer_id),
        key: null, value: JSON.stringify({ ...event, channel: 'web', properties: {} }),
      })),
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await producer.send({ topic: TOPICS.events.name, messages: [{ partition: 0, value: 'no event' }, { partition: 1, value: null }] });
  await producer.disconnect();
}

t.test('two processes are killed at random moments while events flow: every event counts once', async (t) => {
  for (const child of processes) child.start();
  let published = false;
  const flow = publish().then(() => { published = true; });
  for (let kill = 0; kill < KILLS && !published; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 500 + random() * 2000));
    const child = processes[random.below(2)]!;
    await child.kill();
    t.comment(`kill -9 number ${kill + 1}`);
    await new Promise((resolve) => setTimeout(resolve, random() * 800));
    child.start();
  }
  await flow;

  const { accepted, tooLate } = expectedOf(history);
  const { features, deadLetterReasons } = featureOutputs(settings);
  await until('all outputs', async () => (await features()).length >= accepted.length && (await deadLetterReasons()).length >= tooLate + 2, 90_000).catch((error: unknown) => t.comment(String(error)));
  await new Promise((resolve) => setTimeout(resolve, 1500)); // what came twice would come now

  const found = await features();
  t.equal(found.length, accepted.length, 'as many outputs as accepted events');
  t.same(await deadLetterReasons(), ['empty', 'bad_magic', ...Array.from({ length: tooLate }, () => 'too_late')].sort(), 'and as many dead letters as late and broken records');
  const keys = new Set(found.map(({ customer_id, event_id }) => `${customer_id} ${event_id}`));
  t.ok(accepted.every(({ customer_id, event_id }) => keys.has(`${customer_id} ${event_id}`)), 'one of each');

  t.equal(complaintOf(history, found), undefined, 'the vector after every event is the oracle’s');
  t.same(processes.flatMap((child) => child.died), [], 'no process ended by itself');
  for (const child of processes) if (child.died.length > 0) t.comment(child.lines.filter((line) => /"level":"(warn|error)"|"stopping"/.test(line)).join('\n'));
  for (const child of processes) await child.stop();
});

t.test('the local copy is kept, and rebuilt where it is lost', async (t) => {
  const restored = async (instance: string): Promise<number> => {
    const child = new Child('features-process.js', { ...cluster.env, INSTANCE: instance });
    t.teardown(() => child.kill());
    child.start();
    await until('all partitions ready', () => child.lines.filter((line) => line.includes('"partition_ready"')).length >= PARTITIONS);
    await child.stop();
    return child.lines.filter((line) => line.includes('"restored"')).reduce((sum, line) => sum + (JSON.parse(line) as { records: number }).records, 0);
  };
  await restored('0');
  t.equal(await restored('0'), 0, 'a second start on the same disk replays nothing');
  t.ok((await restored('new-disk')) >= 50, 'a new disk gets every customer from the changelog');
});
