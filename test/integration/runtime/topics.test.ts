import t from 'tap';
import { createKafka } from '../../../runtime/kafka/client.js';
import { createTopics, ensureTopics } from '../../../runtime/kafka/topics.js';
import { TOPICS, type TopicSpec } from '../../../schemas/topics.js';
import { startCluster, testLog } from '../../support/cluster.js';

t.setTimeout(400_000);
const { settings } = await startCluster(t, { kafka: true, partitions: 3 });
const kafka = createKafka(settings, testLog);
const admin = kafka.admin();
await admin.connect();
t.teardown(() => admin.disconnect());
const specs: readonly TopicSpec[] = Object.values(TOPICS);
const own = (name: string, config: Record<string, string> = { 'cleanup.policy': 'delete' }, partitioned = true): TopicSpec => ({ name, partitioned, config });
const make = (topic: string, numPartitions: number, config: Record<string, string> = {}): Promise<void> =>
  createTopics(admin, [{ topic, numPartitions, configEntries: Object.entries(config).map(([name, value]) => ({ name, value })) }]);

t.test('topics are made as they are declared, by several processes at once, and left alone afterwards', async (t) => {
  const rounds = await Promise.all([1, 2, 3].map(() => ensureTopics(createKafka(settings, testLog), settings, specs)));
  for (const states of rounds) t.same(states.map(({ name, partitions }) => [name, partitions]), specs.map(({ name, partitioned }) => [name, partitioned ? 3 : 1]));
  const again = await ensureTopics(kafka, settings, specs);
  t.ok(again.every(({ created, warnings }) => !created && warnings.length === 0));
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: specs.map(({ name }) => ({ type: 2, name, configNames: [] as string[] })) });
  for (const { name, config } of specs)
    for (const [key, value] of Object.entries(config))
      t.equal(resources.find(({ resourceName }) => resourceName === name)?.configEntries.find(({ configName }) => configName === key)?.configValue, value, `${name} ${key}`);
});

t.test('topics that are read together follow the count of those that are there', async (t) => {
  await make('there', 5);
  t.same((await ensureTopics(kafka, settings, [own('there'), own('follows')])).map(({ partitions, created }) => [partitions, created]), [[5, false], [5, true]]);
  await make('odd', 2);
  await t.rejects(ensureTopics(kafka, settings, [own('there'), own('odd')]), { code: 'TOPIC_MISMATCH', message: /topic odd has 2 partitions, there has 5/ });
});

t.test('another cleanup policy stops it, other time stamps are a warning', async (t) => {
  await make('kept', 3, { 'cleanup.policy': 'compact' });
  await t.rejects(ensureTopics(kafka, settings, [own('kept')]), { code: 'TOPIC_MISMATCH', message: /cleanup\.policy=compact, expected delete: kafka-configs --alter/ });
  await make('stamped', 3);
  const [state] = await ensureTopics(kafka, settings, [own('stamped', { 'cleanup.policy': 'delete', 'message.timestamp.type': 'LogAppendTime' })]);
  t.match(state!.warnings, [/message\.timestamp\.type=CreateTime, expected LogAppendTime/]);
});
