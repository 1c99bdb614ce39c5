import t from 'tap';
import { createKafka } from '../../runtime/kafka/client.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { featureNames, featuresAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { startFeatures } from '../../stream-processors/features/main.js';
import { startCluster, testLog } from '../support/cluster.js';
import { difference } from '../support/features.js';
import { Oracle, type OracleEvent } from '../support/oracle.js';
import { until } from '../support/wait.js';

t.setTimeout(120_000);
const DAY = 86_400_000;
const START = Date.UTC(2020, 0, 1, 12);
const SILENT = 40;
const BUSY = 15;

const { settings } = await startCluster(t, { kafka: true, registry: true, partitions: 1, settings: { SWEEP_INTERVAL_S: '1', SWEEP_SILENCE_H: '24', SWEEP_ROWS_PER_S: '20' } });
const kafka = createKafka(settings, testLog);
await ensureTopics(kafka, settings, Object.values(TOPICS));
const producer = kafka.producer();
await producer.connect();
t.teardown(() => producer.disconnect());
const oracle = new Oracle(customerActivity);
const event = (customer_id: string, n: number, event_time: number): OracleEvent => ({ event_id: `${customer_id}-${n}`, customer_id, event_type: 'purchase', amount: 10 + n, quantity: 1, event_time });
async function publish(events: readonly OracleEvent[]): Promise<void> {
  for (const one of events) oracle.take(one);
  await producer.send({ topic: TOPICS.events.name, messages: events.map((one) => ({ key: one.customer_id, value: JSON.stringify({ ...one, channel: 'web' }) })) });
}
const decoder = new AvroTypes(createRegistry(settings, testLog), subjectOf(TOPICS.features.name)).decoder<Record<string, number | string>>(featuresAvro(customerActivity));
const channels = new Set<string>();
async function swept(): Promise<Record<string, number | string>[]> {
  const all: Record<string, number | string>[] = [];
  await readTopic(kafka, TOPICS.features.name, async (_partition, records) => {
    for (const { value } of records) {
      const record = await decoder.read(value!);
      channels.add(`${record['trigger']}:${record['channel']}`);
      if (record['trigger'] === 'sweep') all.push(record);
    }
  });
  return all;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const failures: unknown[] = [];
const names = featureNames(customerActivity);

let features = await startFeatures(settings, testLog, (error) => failures.push(error));
const clock = START + 10 * DAY;
await publish(Array.from({ length: SILENT }, (_, i) => event(`silent-${i}`, 0, START + i)));
// One event from years ahead moves nobody's clock; the busy customer's many do.
await publish([event('stray', 0, clock + 2000 * DAY), ...Array.from({ length: BUSY }, (_, i) => event('busy', i, clock))]);

t.test('silent customers are refreshed as of the stream’s clock, once, and no faster than the limit', async (t) => {
  const startedAt = Date.now();
  await until('all silent customers', async () => (await swept()).length >= SILENT);
  t.ok(Date.now() - startedAt >= 500, 'throttled: 40 customers at 20 a second');
  await pause(2500);
  const records = await swept();
  t.same(new Set(records.map(({ customer_id }) => customer_id)), new Set(Array.from({ length: SILENT }, (_, i) => `silent-${i}`)));
  t.equal(records.length, SILENT, 'further passes at the same clock bring nothing');
  t.same([...channels].sort(), ['event:web', 'sweep:'], 'a score of an event has its channel, the sweep has none');
  for (const record of records) {
    t.equal(record['event_time'], clock);
    const wrong = difference(names, names.map((name) => Number(record[name])), oracle.vector(String(record['customer_id']), clock));
    if (wrong !== undefined) t.fail(`${record['customer_id']}: ${wrong}`);
  }
});

t.test('what was refreshed is not refreshed again after a restart; a day later it is', async (t) => {
  await features.stop();
  features = await startFeatures(settings, testLog, (error) => failures.push(error));
  await pause(2500);
  t.equal((await swept()).length, SILENT);
  await publish(Array.from({ length: BUSY }, (_, i) => event('busy', BUSY + i, clock + DAY)));
  await until('the next day’s refresh', async () => (await swept()).length >= 2 * SILENT);
  t.same(failures, []);
  await features.stop();
});
