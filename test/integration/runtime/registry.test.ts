import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createEventDecoder, isRejection, UNPREPARED } from '../../../runtime/events/event-decoder.js';
import { avroType } from '../../../runtime/registry/avro-type.js';
import { AvroTypes } from '../../../runtime/registry/avro-types.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import { idsOf, registerSubjects } from '../../../runtime/registry/subjects.js';
import { frame } from '../../../runtime/registry/wire-format.js';
import { loadSettings } from '../../../runtime/settings.js';
import { CUSTOMER_EVENT_AVRO } from '../../../schemas/events/customer-event.js';
import { GOOD, RECORD_TIME_MS } from '../../support/bad-records.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { DAY_MS } from '../../support/event-decoder.js';

const SUBJECT = 'customer-events-value';
const { settings } = await startCluster(t, { registry: true });
const record = (name: string, fields: { name: string; type: unknown; default?: unknown }[]) => ({ type: 'record', name, fields });

t.test('subjects are set to BACKWARD, registered once, and never changed by an incompatible schema', async (t) => {
  const registry = createRegistry(settings, testLog);
  const spec = { subject: SUBJECT, schema: CUSTOMER_EVENT_AVRO };
  const [first] = await registerSubjects(registry, [spec]);
  t.ok(first!.created);
  t.equal(await registry.client.getCompatibility(SUBJECT), 'BACKWARD');
  // Another process, nothing cached.
  const [again] = await registerSubjects(createRegistry(settings, testLog), [spec]);
  t.same(again, { ...first, created: false });
  t.equal(idsOf([again!]).get(SUBJECT), first!.id);

  const before = await registry.client.getAllVersions(SUBJECT);
  await t.rejects(registerSubjects(registry, [{ subject: SUBJECT, schema: record('CustomerEvent', [{ name: 'tenant', type: 'string' }]) }]),
    { code: 'SCHEMA_INCOMPATIBLE', message: /customer-events-value refuses.*tenant/s });
  t.same(await registry.client.getAllVersions(SUBJECT), before);

  const newer = { ...CUSTOMER_EVENT_AVRO, fields: [...CUSTOMER_EVENT_AVRO.fields, { name: 'tenant', type: 'string', default: '' }] };
  const [grown] = await registerSubjects(registry, [{ subject: SUBJECT, schema: newer }]);
  t.ok(grown!.created && grown!.id !== first!.id, 'a field with a default is taken');
  t.same(await registerSubjects(createRegistry(settings, testLog), [spec]), [{ ...first, created: false }], 'an older process still finds its own');
});

t.test('a stricter level is kept, a weaker one is raised and said', async (t) => {
  const registry = createRegistry(settings, testLog);
  const warnings: string[] = [];
  const watched = { ...registry, log: Object.assign(Object.create(testLog) as typeof testLog, { warn: (event: string) => { warnings.push(event); } }) };
  const schema = record('Any', [{ name: 'a', type: 'string' }]);
  await registry.client.updateCompatibility('strict-value', 'FULL_TRANSITIVE' as never);
  await registry.client.updateCompatibility('weak-value', 'FORWARD' as never);
  await registerSubjects(watched, [{ subject: 'strict-value', schema }, { subject: 'weak-value', schema }]);
  t.equal(await registry.client.getCompatibility('strict-value'), 'FULL_TRANSITIVE');
  t.equal(await registry.client.getCompatibility('weak-value'), 'BACKWARD');
  t.same(warnings, ['compatibility_raised']);
});

t.test('processes that start in the same moment get the same id', async (t) => {
  for (let round = 0; round < 5; round++) {
    const spec = { subject: `together-${round}-value`, schema: record(`Together${round}`, [{ name: 'a', type: 'string' }]) };
    const found = await Promise.all(Array.from({ length: 6 }, () => registerSubjects(createRegistry(settings, testLog), [spec])));
    t.equal(new Set(found.map(([one]) => one!.id)).size, 1);
  }
});

t.test('older and newer writers are decoded side by side', async (t) => {
  const registry = createRegistry(settings, testLog);
  const older = record('Thing', [{ name: 'id', type: 'string' }]);
  const newer = record('Thing', [{ name: 'id', type: 'string' }, { name: 'size', type: 'int', default: 7 }]);
  const [a] = await registerSubjects(registry, [{ subject: 'things-value', schema: older }]);
  const [b] = await registerSubjects(registry, [{ subject: 'things-value', schema: newer }]);
  const types = new AvroTypes(registry, 'things-value');
  const decoder = types.decoder<{ id: string; size: number }>(newer);
  const values = [frame(a!.id, avroType(older).toBuffer({ id: 'x' })), frame(b!.id, avroType(newer).toBuffer({ id: 'y', size: 2 }))];
  t.notOk(decoder.ready(values[0]!));
  t.throws(() => decoder.decode(values[0]!), { code: 'INTERNAL' }, 'unprepared');
  t.same(await decoder.read(values[0]!), { id: 'x', size: 7 });
  t.ok(decoder.ready(values[0]!), 'from now on without a request');
  t.same(await decoder.read(values[1]!), { id: 'y', size: 2 });
  t.same(await types.decoder(older).read(values[1]!), { id: 'y' }, 'and an older reader reads the newer writer');
  await t.rejects(types.decoder(record('Thing', [{ name: 'id', type: 'int' }])).read(values[0]!), { code: 'SCHEMA_INCOMPATIBLE', message: new RegExp(`writer schema ${a!.id}`) });
  await t.rejects(decoder.read(values[0]!.subarray(0, 6)), { code: 'RECORD_UNDECODABLE', message: /field id/ });
  await t.rejects(decoder.read(Buffer.from('{}')), { code: 'RECORD_UNDECODABLE', message: /Confluent header/ });
});

t.test('schemas that name types of other subjects are compiled with them', async (t) => {
  const registry = createRegistry(settings, testLog);
  const money = record('Money', [{ name: 'amount', type: 'double' }]);
  await registerSubjects(registry, [{ subject: 'money-value', schema: money }]);
  const order = record('Order', [{ name: 'total', type: 'Money' }]);
  const { id } = await registry.client.registerFullResponse('orders-value', { schemaType: 'AVRO', schema: JSON.stringify(order), references: [{ name: 'Money', subject: 'money-value', version: 1 }] });
  const type = avroType(record('Order', [{ name: 'total', type: money }]));
  t.same(await new AvroTypes(registry, 'orders-value').decoder(type.schema()).read(frame(id!, type.toBuffer({ total: { amount: 2.5 } }))), { total: { amount: 2.5 } });
});

t.test('an unknown id is refused at once for some seconds, then asked for again', async (t) => {
  let now = 1_000_000;
  const registry = createRegistry(settings, testLog);
  const types = new AvroTypes(registry, SUBJECT, () => now);
  const decoder = createEventDecoder(types, DAY_MS);
  const value = frame(987_654, Buffer.from('0602', 'hex'));
  t.equal(decoder.decodeFull(value, RECORD_TIME_MS), UNPREPARED);
  await decoder.prepare(value);
  const answer = decoder.decodeFull(value, RECORD_TIME_MS);
  t.ok(answer !== UNPREPARED && isRejection(answer) && answer.reason === 'unknown_schema' && answer.error.includes('987654'));
  now += 4999;
  t.not(decoder.decodeFull(value, RECORD_TIME_MS), UNPREPARED);
  now += 2;
  t.equal(decoder.decodeFull(value, RECORD_TIME_MS), UNPREPARED, 'the schema may have been registered since');
});

t.test('a flood of ids that nobody registered is refused without asking for each', async (t) => {
  let now = 1_000_000;
  let requests = 0;
  const registry = createRegistry(settings, testLog);
  const get = registry.client.getBySubjectAndId.bind(registry.client);
  registry.client.getBySubjectAndId = (...args) => { requests++; return get(...args); };
  const types = new AvroTypes(registry, SUBJECT, () => now);
  const decoder = createEventDecoder(types, DAY_MS);
  for (let id = 1_000_000; id < 1_002_000; id++) {
    const value = frame(id, Buffer.from('0602', 'hex'));
    if (decoder.decodeFull(value, RECORD_TIME_MS) === UNPREPARED) await decoder.prepare(value);
    const answer = decoder.decodeFull(value, RECORD_TIME_MS);
    if (answer === UNPREPARED || !isRejection(answer) || answer.reason !== 'unknown_schema') t.fail(`id ${id}`);
  }
  t.equal(requests, 200);
  const [known] = await registerSubjects(registry, [{ subject: SUBJECT, schema: CUSTOMER_EVENT_AVRO }]);
  now += 5001;
  const value = frame(known!.id, avroType(CUSTOMER_EVENT_AVRO).toBuffer(GOOD));
  t.equal(decoder.decodeFull(value, RECORD_TIME_MS), UNPREPARED);
  await decoder.prepare(value);
  t.same(decoder.decodeFull(value, RECORD_TIME_MS), GOOD, 'afterwards new ids are asked for again');
});

t.test('a registry that does not answer is an error, never a refused record', async (t) => {
  const gone = createRegistry(loadSettings({ SCHEMA_REGISTRY_URL: 'http://user:secret@127.0.0.1:1/x' }), testLog);
  const decoder = createEventDecoder(new AvroTypes(gone, SUBJECT), DAY_MS);
  await t.rejects(decoder.prepare(frame(1, Buffer.alloc(0))), { code: 'REGISTRY_UNREACHABLE', message: /^(?!.*secret).*SCHEMA_REGISTRY_URL/s });
  await t.rejects(registerSubjects(gone, [{ subject: SUBJECT, schema: CUSTOMER_EVENT_AVRO }]), { code: 'REGISTRY_UNREACHABLE' });
});

t.test('user and password are sent, and wrong ones are said to be wrong', async (t) => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error_code":40101,"message":"Unauthorized"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const registry = createRegistry(loadSettings({
    SCHEMA_REGISTRY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, SCHEMA_REGISTRY_USERNAME: 'ann', SCHEMA_REGISTRY_PASSWORD: 'p:w',
  }), testLog);
  await t.rejects(registerSubjects(registry, [{ subject: SUBJECT, schema: CUSTOMER_EVENT_AVRO }]), { code: 'REGISTRY_UNREACHABLE', message: /HTTP 401.*SCHEMA_REGISTRY_PASSWORD/s });
  t.equal(seen[0], `Basic ${Buffer.from('ann:p:w').toString('base64')}`);
});

t.test('the direct reader is used for what the registry holds as our own schema', async (t) => {
  const registry = createRegistry(settings, testLog);
  const ids = idsOf(await registerSubjects(registry, [{ subject: SUBJECT, schema: CUSTOMER_EVENT_AVRO }]));
  const decoder = createEventDecoder(new AvroTypes(registry, SUBJECT), DAY_MS);
  const value = frame(ids.get(SUBJECT)!, avroType(CUSTOMER_EVENT_AVRO).toBuffer(GOOD));
  await decoder.prepare(value);
  t.same(decoder.decodeFull(value, RECORD_TIME_MS), GOOD);
});
