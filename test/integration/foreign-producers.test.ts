import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { createEventDecoder, isRejection, UNPREPARED } from '../../runtime/events/event-decoder.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { kafkajs } from '../../runtime/kafka/kafkajs.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import { CUSTOMER_EVENT_AVRO, EVENT_TYPES, type CustomerEvent } from '../../schemas/events/customer-event.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { startCluster, testLog } from '../support/cluster.js';
import { DAY_MS } from '../support/event-decoder.js';
import { noJavac, noKcat, run, runJava, runPython } from '../support/foreign/clients.js';
import { PRODUCER_REQUIREMENTS, pythonTools } from '../support/python.js';
import { seeded, seedOf } from '../support/random.js';

t.setTimeout(400_000);
const SEED = seedOf(42);
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const EACH = 40;
t.comment(`TEST_SEED=${SEED}`);
const python = await pythonTools(PRODUCER_REQUIREMENTS);
const { settings, dataDir } = await startCluster(t, { kafka: true, registry: true, partitions: 3 });
const kafka = createKafka(settings, testLog);
const topic = TOPICS.events.name;
const subject = subjectOf(topic);
const brokers = settings.KAFKA_BROKERS!;
const random = seeded(SEED);

/** A version before quantity and properties, ours, and one that knows a field and an event type more. */
const older = { ...CUSTOMER_EVENT_AVRO, fields: CUSTOMER_EVENT_AVRO.fields.filter(({ name }) => name !== 'quantity' && name !== 'properties') };
const newer = {
  ...CUSTOMER_EVENT_AVRO,
  fields: [
    ...CUSTOMER_EVENT_AVRO.fields.map((field) => (field.name === 'event_type' ? { ...field, type: { ...field.type, symbols: [...EVENT_TYPES, 'wishlist'] } } : field)),
    { name: 'campaign', type: ['null', 'string'], default: null },
  ],
};
const registry = createRegistry(settings, testLog);
const ids: number[] = [];
for (const schema of [older, CUSTOMER_EVENT_AVRO, newer]) ids.push((await registerSubjects(registry, [{ subject, schema }]))[0]!.id);
await ensureTopics(kafka, settings, [TOPICS.events]);
const file = (name: string, schema: object): string => {
  const path = join(dataDir, name);
  writeFileSync(path, JSON.stringify(schema));
  return path;
};

const expected = new Map<string, CustomerEvent>();
function events(client: string, codec: string): CustomerEvent[] {
  return Array.from({ length: EACH }, (_, i) => {
    const event: CustomerEvent = {
      event_id: `${client}-${codec}-${i}`, customer_id: i % 5 === 0 ? `Zoë 🛒 ${i}` : `C${random.below(1000)}`, event_type: random.pick(EVENT_TYPES),
      amount: random.chance(0.5) ? null : Math.round(random() * 1e5) / 100, quantity: random.chance(0.5) ? null : random.below(9),
      channel: random.pick(['web', 'app', 'Geschäft']), event_time: Date.now() - random.below(1e9),
      properties: random.chance(0.5) ? {} : { page: `/p/${i}`, note: 'naïve “x”' },
    };
    expected.set(event.event_id, event);
    return event;
  });
}

t.test('kcat: plain JSON without a key', { skip: noKcat() ?? false }, async (t) => {
  for (const codec of CODECS) {
    const lines = events('kcat', codec).map((event, i) => JSON.stringify(i % 2 === 0 ? event : { ...event, event_time: new Date(event.event_time).toISOString() }));
    await run('kcat', ['-P', '-b', brokers, '-t', topic, '-z', codec], `${lines.join('\n')}\n`);
  }
  t.pass(`${CODECS.length * EACH} sent`);
});

t.test('Python: confluent-kafka with the Avro serializer, the older schema and the one it registers itself', { skip: 'missing' in python ? python.missing : false }, async (t) => {
  if ('missing' in python) return;
  const lines = (schema: string): string =>
    CODECS.flatMap((codec) => events(`python-${schema}`, codec).map((event) => {
      if (schema === 'older') expected.set(event.event_id, { ...event, quantity: null, properties: {} });
      return JSON.stringify({ codec, key: event.customer_id, event });
    })).join('\n');
  await runPython(python.python, [brokers, topic, settings.SCHEMA_REGISTRY_URL!, file('older.avsc', older), 'false'], lines('older'));
  await runPython(python.python, [brokers, topic, settings.SCHEMA_REGISTRY_URL!, file('own.avsc', CUSTOMER_EVENT_AVRO), 'true'], lines('own'));
  t.pass(`${2 * CODECS.length * EACH} sent`);
});

t.test('Java: kafka-clients and Avro’s encoder, a newer schema', { skip: noJavac() ?? false }, async (t) => {
  const type = avroType(newer);
  const lines = CODECS.flatMap((codec) => events('java', codec).map((event, i) => {
    const written = { ...event, event_type: i === 3 ? 'wishlist' : event.event_type, campaign: i % 2 === 0 ? null : 'spring' };
    if (i === 3) expected.set(event.event_id, { ...event, event_type: 'other' });
    return `${codec}\t${event.customer_id}\t${type.toString(written)}`;
  }));
  await runJava(['produce', brokers, topic, file('newer.avsc', newer), String(ids[2])], lines.join('\n'));
  t.pass(`${lines.length} sent`);
});

t.test('all of it is read by kafkajs, the codecs and the decoder, value for value', async (t) => {
  const ends = (await offsetRanges(kafka, topic)).map(({ high }) => high);
  t.equal(ends.reduce((sum, high) => sum + high, 0), expected.size);
  const decoder = createEventDecoder(new AvroTypes(registry, subject), DAY_MS);
  const seen = new Map<string, CustomerEvent>();
  const refused: string[] = [];
  const consumer = kafka.consumer({ groupId: 'foreign-producers-test' });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const position = ends.map(() => 0);
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`read ${seen.size} of ${expected.size} within 60 s`)), 60_000);
    const settle = (): void => { if (ends.every((high, partition) => position[partition]! >= high)) { clearTimeout(deadline); resolve(); } };
    settle();
    consumer.run({
      autoCommit: false,
      async eachBatch({ batch }) {
        for (const { value, timestamp } of batch.messages) {
          let answer = decoder.decodeFull(value, Number(timestamp));
          while (answer === UNPREPARED) {
            await decoder.prepare(value!);
            answer = decoder.decodeFull(value, Number(timestamp));
          }
          if (isRejection(answer)) refused.push(`${answer.reason}: ${answer.error}`);
          else if (seen.has(answer.event_id)) refused.push(`${answer.event_id} twice`);
          else seen.set(answer.event_id, answer);
        }
        position[batch.partition] = Number(batch.lastOffset()) + 1;
        settle();
      },
    }).catch(reject);
  }).finally(() => consumer.disconnect());
  t.same(refused, []);
  t.equal(seen.size, expected.size);
  const differing = [...expected].filter(([id, event]) => !isDeepStrictEqual(seen.get(id), event));
  t.same(differing.map(([id, event]) => [seen.get(id), event]).slice(0, 5), [], `${expected.size} events equal`);
});

t.test('what kafkajs writes with each codec is read by librdkafka and by Java', { skip: noKcat() ?? noJavac() ?? false }, async (t) => {
  const { CompressionTypes } = kafkajs;
  const own = 'codecs';
  await ensureTopics(kafka, settings, [{ name: own, partitioned: false, config: { 'cleanup.policy': 'delete' } }]);
  const producer = kafka.producer();
  await producer.connect();
  const values: string[] = [];
  for (const [name, compression] of Object.entries({ gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD })) {
    const messages = Array.from({ length: 300 }, (_, i) => ({ value: `${name} ${i} ${'x'.repeat(random.below(500))} ${random()}` }));
    values.push(...messages.map(({ value }) => value));
    await producer.send({ topic: own, compression, messages });
  }
  await producer.disconnect();
  t.same((await run('kcat', ['-C', '-b', brokers, '-t', own, '-p', '0', '-o', 'beginning', '-e', '-q'])).trimEnd().split('\n'), values, 'librdkafka');
  t.same((await runJava(['consume', brokers, own, String(values.length)])).trimEnd().split('\n'), values, 'Java');
});
