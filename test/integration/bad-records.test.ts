import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { redriveLetters } from '../../deploy/dead-letters/commands.js';
import { prepareTopics } from '../../deploy/prepare.js';
import { letterOf, type DeadLetter } from '../../runtime/dead-letters/letters.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import { frame } from '../../runtime/registry/wire-format.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { featuresAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { startFeatures } from '../../stream-processors/features/main.js';
import { GOOD, recordCases } from '../support/bad-records.js';
import { startCluster, testLog } from '../support/cluster.js';

t.setTimeout(400_000);
const PARTITIONS = 2;
const HOME = partitionOf(GOOD.customer_id, PARTITIONS);
const { settings } = await startCluster(t, { kafka: true, registry: true, partitions: PARTITIONS });
const { subjects } = await prepareTopics(settings, testLog);
const kafka = createKafka(settings, testLog);
const registry = createRegistry(settings, testLog);
const failures: unknown[] = [];
const processor = await startFeatures(settings, testLog, (error) => failures.push(error));
t.teardown(() => processor.stop());
const producer = kafka.producer();
await producer.connect();
t.teardown(() => producer.disconnect());

const features = new AvroTypes(registry, subjectOf(TOPICS.features.name)).decoder<{ event_id: string; customer_id: string }>(featuresAvro(customerActivity));
async function featureIds(): Promise<string[]> {
  const values: Buffer[] = [];
  await readTopic(kafka, TOPICS.features.name, (_partition, records) => { for (const { value } of records) if (value !== null) values.push(value); });
  return Promise.all(values.map(async (value) => (await features.read(value)).event_id));
}
async function letters(): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  await readTopic(kafka, TOPICS.deadLetters.name, (partition, records) => { for (const record of records) found.push(letterOf(partition, record)!); });
  return found;
}
async function send(value: Buffer | null, headers: Record<string, string> = {}): Promise<number> {
  const [meta] = await producer.send({ topic: TOPICS.events.name, messages: [{ key: GOOD.customer_id, value, partition: HOME, headers }] });
  return Number(meta!.baseOffset);
}
/** A good event behind everything that was sent: once its features are there, the rest is done. */
async function settled(id: string): Promise<void> {
  await send(Buffer.from(JSON.stringify({ ...GOOD, event_id: id, event_time: Date.now() })));
  for (let i = 0; i < 300; i++) {
    if ((await featureIds()).includes(id)) return;
    await sleep(100);
  }
  t.fail(`no features of ${id} within 30 s: the partition stands still (${String(failures)})`);
}

const schema = { type: 'record', name: 'Later', fields: [{ name: 'event_id', type: 'string' }, { name: 'customer_id', type: 'string' }, { name: 'event_type', type: 'string' }, { name: 'event_time', type: 'long' }] };
const nextId = Math.max(...subjects.map(({ id }) => id)) + 1;

t.test('bad records end as dead letters, untouched, with reason and source, and the partition goes on', async (t) => {
  const own = subjects.find(({ subject }) => subject === subjectOf(TOPICS.events.name))!.id;
  // The broker stamps these records now, so the cases about a day ahead of their record time say nothing here.
  const cases = recordCases(own).filter(({ name, value }) => !name.includes('ahead') && (value?.length ?? 0) < 1_000_000);
  const offsets = new Map<number, (typeof cases)[number]>();
  for (const item of cases) offsets.set(await send(item.value, { case: encodeURIComponent(item.name) }), item);
  await settled('after-all');

  const seen = new Set<number>();
  const counts: Record<string, number> = {};
  for (const { partition, record, info } of await letters()) {
    const item = offsets.get(info.offset)!;
    counts[info.reason] = (counts[info.reason] ?? 0) + 1;
    t.notOk(seen.has(info.offset), `${item.name}: once`);
    seen.add(info.offset);
    if (item.reason === undefined) t.equal(info.reason, 'too_late', `${item.name} is well-formed`);
    else t.equal(info.reason, item.reason, item.name);
    t.ok(item.value === null ? record.value === null : record.value!.equals(item.value), 'untouched bytes');
    t.match([info.topic, info.partition, partition, record.key!.toString()], [TOPICS.events.name, HOME, HOME, GOOD.customer_id]);
    t.same(Object.fromEntries(Object.entries(info.kept).map(([name, value]) => [name, value.toString()])), { case: encodeURIComponent(item.name) });
    t.ok(info.failedAt >= info.timestamp && info.timestamp > 0);
  }
  t.same([...offsets].filter(([offset, { reason }]) => reason !== undefined && !seen.has(offset)).map(([, { name }]) => name), [], 'none is missing');

  const page = await (await fetch(`http://127.0.0.1:${settings.FEATURES_METRICS_PORT}/metrics`)).text();
  const counted = Object.fromEntries([...page.matchAll(/^tidemark_features_dead_letters_total\{.*?reason="(\w+)".*?\} (\d+)$/gm)].map(([, reason, count]) => [reason, Number(count)]));
  t.same(counted, counts, 'counted by reason');
  t.same(failures, []);
});

t.test('an event whose schema comes late is counted after a redrive', async (t) => {
  await send(frame(nextId, avroType(schema).toBuffer({ event_id: 'late-schema', customer_id: GOOD.customer_id, event_type: 'login', event_time: Date.now() })));
  await settled('before-the-fix');
  t.notOk((await featureIds()).includes('late-schema'));

  const [registered] = await registerSubjects(registry, [{ subject: 'later-value', schema }]);
  t.equal(registered!.id, nextId);
  // The processor has not forgotten yet that there is no such id.
  await sleep(5100);
  let said = '';
  for (let i = 0; i < 2; i++) await redriveLetters(settings, testLog, { reasons: ['unknown_schema'] }, { limit: Infinity, dryRun: false, force: false }, (text) => { said += text; });
  t.match(said, /^1 sent back to customer-events\n.*0 sent back to customer-events\n1 were sent back before/s);
  await settled('after-the-fix');
  t.equal((await featureIds()).filter((id) => id === 'late-schema').length, 1, 'once');
  t.same(failures, []);
});
