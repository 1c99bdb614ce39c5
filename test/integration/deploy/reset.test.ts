import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { resetPositions } from '../../../deploy/reset.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { partitionOf } from '../../../runtime/kafka/partitioner.js';
import { offsetRanges, readTopic } from '../../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { FEATURES_GROUP } from '../../../schemas/groups.js';
import { TOPICS } from '../../../schemas/topics.js';
import { forwardedBefore } from '../../../stream-processors/features/forwarded.js';
import { startFeatures } from '../../../stream-processors/features/main.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { featureOutputs } from '../../support/feature-outputs.js';
import { until } from '../../support/wait.js';

t.setTimeout(200_000);
const { settings, dataDir } = await startCluster(t, { kafka: true, registry: true, partitions: 2, settings: { SWEEP_INTERVAL_S: '0' } });
const kafka = createKafka(settings, testLog);
const topic = TOPICS.events.name;
await ensureTopics(kafka, settings, [TOPICS.events, TOPICS.changelog]);
const admin = kafka.admin();
await admin.connect();
const producer = kafka.producer();
await producer.connect();
t.teardown(() => Promise.all([admin.disconnect(), producer.disconnect()]));
await producer.send({ topic, messages: Array.from({ length: 20 }, (_, i) => ({ value: `${i}`, partition: i % 2 })) });
await admin.setOffsets({ groupId: FEATURES_GROUP, topic, partitions: [{ partition: 0, offset: '3' }, { partition: 1, offset: '6' }] });

const committed = async (): Promise<string[]> => {
  const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId: FEATURES_GROUP, topics: [topic] });
  return partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
};

t.test('a position that is in its topic stays', async (t) => {
  t.same(await resetPositions(settings, 'features', false, testLog), []);
  t.same(await committed(), ['3', '6']);
});

t.test('only the position that retention has overtaken moves, to the first record', async (t) => {
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '5' }] });
  t.same(await resetPositions(settings, 'features', false, testLog), [{ topic, partition: 0, from: 3, to: 5 }]);
  t.same(await committed(), ['5', '6']);
});

t.test('a group with members, and a data folder in use, are left alone', async (t) => {
  const consumer = kafka.consumer({ groupId: FEATURES_GROUP });
  await consumer.connect();
  await consumer.subscribe({ topic });
  const joined = new Promise((resolve) => { consumer.on('consumer.group_join', resolve); });
  await consumer.run({ autoCommit: false, eachMessage: () => Promise.resolve() });
  await joined;
  await t.rejects(resetPositions(settings, 'features', true, testLog), { code: 'INPUT_INVALID' });
  await consumer.disconnect();

  writeFileSync(join(dataDir, 'up.lock'), String(process.ppid));
  await t.rejects(resetPositions(settings, 'features', true, testLog), { code: 'REQUIREMENT_MISSING' });
  writeFileSync(join(dataDir, 'up.lock'), '');
  t.same(await committed(), ['5', '6']);
});

t.test('a rebuild begins at the first record, without changelog and state', async (t) => {
  await producer.send({ topic: TOPICS.changelog.name, messages: [{ key: 'C1', value: 'state', partition: 0 }] });
  mkdirSync(join(dataDir, 'state', 'features-0'), { recursive: true });
  await resetPositions(settings, 'features', true, testLog);
  t.same(await committed(), ['5', '0']);
  t.notOk(existsSync(join(dataDir, 'state')));
  t.notOk((await admin.listTopics()).includes(TOPICS.changelog.name));
  await ensureTopics(kafka, settings, [TOPICS.events, TOPICS.changelog]);
  t.same((await offsetRanges(kafka, TOPICS.changelog.name)).map(({ high }) => high), [0, 0]);
});

t.test('a rebuild does not forward again what was forwarded before, also when it is begun twice', async (t) => {
  await ensureTopics(kafka, settings, Object.values(TOPICS));
  /** Every event on the wrong one of two partitions; forty of a customer, so that a copy that came again would be no duplicate. */
  const publish = (from: number, to: number): Promise<unknown> => producer.send({
    topic, messages: Array.from({ length: to - from }, (_, i) => ({
      partition: 1 - partitionOf('astray', 2), value: JSON.stringify({ event_id: `e${from + i}`, customer_id: 'astray', event_type: 'login', event_time: Date.now(), properties: {} }),
    })),
  });
  const counted = async (): Promise<{ events: number; features: number; latest: number }> => {
    let events = 0;
    await readTopic(kafka, topic, (_partition, records) => { events += records.length; });
    const features = await featureOutputs(settings).features();
    return { events, features: features.length, latest: Number(features.at(-1)?.['events_24h']) };
  };
  const process = async (features: number): Promise<void> => {
    const failures: unknown[] = [];
    const processor = await startFeatures(settings, testLog, (error) => failures.push(error));
    await until(`${features} features`, async () => (await counted()).features >= features);
    await processor.stop();
    t.same(failures, []);
  };
  const others = (await counted()).events;
  await publish(0, 60);
  await process(60);
  t.same(await counted(), { events: others + 120, features: 60, latest: 60 });
  await resetPositions(settings, 'features', true, testLog);
  await resetPositions(settings, 'features', true, testLog);
  await publish(60, 100);
  await process(160);
  t.same(await counted(), { events: others + 200, features: 160, latest: 100 }, 'a copy of each record, the new ones among them, and each counted once in the rebuilt state');

  const marks = async (): Promise<number[]> => [...(await forwardedBefore(kafka)).values()];
  t.ok((await marks()).some((mark) => mark > 0));
  await admin.createPartitions({ topicPartitions: [TOPICS.events, TOPICS.changelog].map(({ name }) => ({ topic: name, count: 4 })) });
  await resetPositions(settings, 'features', true, testLog);
  t.same(new Set(await marks()), new Set([0]), 'under another partition count no copy is at home');
});
