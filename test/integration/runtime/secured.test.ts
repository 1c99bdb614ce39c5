import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import { loadSettings } from '../../../runtime/settings.js';
import { TOPICS } from '../../../schemas/topics.js';
import { makeCertificates } from '../../support/certificates.js';
import { Child } from '../../support/child.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { featureOutputs } from '../../support/feature-outputs.js';
import { startGuardedProxy, startSecuredKafka, startTlsProxy, USER } from '../../support/secured.js';
import { until } from '../../support/wait.js';

t.setTimeout(240_000);
const cluster = await startCluster(t, { registry: true, clickhouse: true, partitions: 1, settings: { SWEEP_INTERVAL_S: '0', KAFKA_SESSION_TIMEOUT_MS: '6000' } });
const folder = join(cluster.dataDir, 'certificates');
mkdirSync(folder);
const certificates = makeCertificates(folder);
const passwordFile = join(folder, 'password');
writeFileSync(passwordFile, `${USER.password}\n`);
const kafka = await startSecuredKafka(join(cluster.dataDir, 'secured'), certificates);
t.teardown(() => kafka.stop());
const registry = await startGuardedProxy(new URL(cluster.settings.SCHEMA_REGISTRY_URL!), certificates);
t.teardown(() => registry.stop());
const clickhouse = await startTlsProxy(Number(new URL(cluster.settings.CLICKHOUSE_URL!).port), certificates);
t.teardown(() => clickhouse.stop());

/** What somebody with secured parts sets: every secret in a file. */
const secured = {
  ...cluster.env,
  KAFKA_BROKERS: kafka.sasl, KAFKA_TLS: 'true', KAFKA_CA_FILE: certificates.ca,
  KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: USER.name, KAFKA_SASL_PASSWORD_FILE: passwordFile,
  SCHEMA_REGISTRY_URL: registry.url, SCHEMA_REGISTRY_CA_FILE: certificates.ca, SCHEMA_REGISTRY_USERNAME: USER.name, SCHEMA_REGISTRY_PASSWORD_FILE: passwordFile,
  CLICKHOUSE_URL: clickhouse.url, CLICKHOUSE_CA_FILE: certificates.ca,
};
const settings = loadSettings(secured);
await ensureTopics(createKafka(settings, testLog), settings, Object.values(TOPICS));
let published = 0;

async function publish(env: Record<string, string>, count: number): Promise<void> {
  const producer = createKafka(loadSettings(env), testLog).producer();
  await producer.connect();
  await producer.send({
    topic: TOPICS.events.name,
    messages: Array.from({ length: count }, () => ({ value: JSON.stringify({ event_id: `e${published++}`, customer_id: 'C1', event_type: 'login', event_time: Date.now(), properties: {} }) })),
  });
  await producer.disconnect();
}

const wrong = { ...secured, KAFKA_SASL_PASSWORD_FILE: '', KAFKA_SASL_PASSWORD: 'wrong-secret' };
const refused: Record<string, { env: Record<string, string>; code: string; says: RegExp }> = {
  'a wrong password, SCRAM': { env: wrong, code: 'BROKER_UNREACHABLE', says: /SASL.*check KAFKA_SASL_MECHANISM/ },
  'a wrong password, PLAIN': { env: { ...wrong, KAFKA_SASL_MECHANISM: 'plain' }, code: 'BROKER_UNREACHABLE', says: /SASL.*check KAFKA_SASL_MECHANISM/ },
  'an authority that did not sign': { env: { ...secured, KAFKA_CA_FILE: certificates.strangerCa }, code: 'BROKER_UNREACHABLE', says: /certificate.*KAFKA_CA_FILE/ },
  'the registry’s password': { env: { ...secured, SCHEMA_REGISTRY_PASSWORD_FILE: '', SCHEMA_REGISTRY_PASSWORD: 'wrong-secret' }, code: 'REGISTRY_UNREACHABLE', says: /401.*SCHEMA_REGISTRY_PASSWORD/ },
  'the registry’s authority': { env: { ...secured, SCHEMA_REGISTRY_CA_FILE: certificates.strangerCa }, code: 'REGISTRY_UNREACHABLE', says: /certificate/ },
  'a CA file that is none': { env: { ...secured, KAFKA_CA_FILE: passwordFile }, code: 'CONFIG_INVALID', says: /KAFKA_CA_FILE.*PEM/ },
};
/** They try for some twenty seconds before they give up: meanwhile the others work. */
const strangers = Object.entries(refused).map(([what, { env, code, says }], i) => {
  const child = new Child('features-process.js', { ...env, INSTANCE: `refused-${i}`, FEATURES_METRICS_PORT: '1' });
  t.teardown(() => child.kill());
  child.start();
  return { what, code, says, child };
});

const ways: Record<string, Record<string, string>> = {
  'SCRAM-SHA-512': secured,
  'SCRAM-SHA-256': { ...secured, KAFKA_SASL_MECHANISM: 'scram-sha-256' },
  PLAIN: { ...secured, KAFKA_SASL_MECHANISM: 'plain' },
  'a client certificate': {
    ...Object.fromEntries(Object.entries(secured).filter(([name]) => !name.startsWith('KAFKA_SASL'))),
    KAFKA_BROKERS: kafka.mutual, KAFKA_CERT_FILE: certificates.clientCert, KAFKA_KEY_FILE: certificates.clientKey,
  },
};
for (const [way, env] of Object.entries(ways))
  t.test(`events become features over TLS with ${way}`, async (t) => {
    const child = new Child('features-process.js', env);
    t.teardown(() => child.kill());
    child.start();
    await publish(env, 20);
    await until('features of all events', async () => (await featureOutputs(settings).features()).length >= published)
      .catch((error: unknown) => { t.comment(child.lines.join('\n')); throw error; });
    const features = await featureOutputs(settings).features();
    t.same([features.length, features.at(-1)?.['events_24h']], [published, published], 'each once, transactions and all');
    await child.stop();
    t.same(child.died, []);
  });

t.test('landing brings them to ClickHouse over TLS', async (t) => {
  const before = clickhouse.count();
  const client = createClickHouse(settings);
  t.teardown(() => client.close());
  await migrate(client, settings);
  const child = new Child('landing-process.js', secured);
  t.teardown(() => child.kill());
  child.start();
  await until('all rows', async () => (await (await client.query({ query: 'SELECT count() AS n FROM events', format: 'JSONEachRow' })).json<{ n: string }>())[0]?.n === String(published));
  t.ok(clickhouse.count() > before, 'through the proxy');
  t.ok(registry.count() > 0, 'and the registry through its own');
  await child.stop();
});

t.test('who may not come in is told what to look at, without a secret', async (t) => {
  await Promise.all(strangers.map(async ({ what, code, says, child }) => {
    await until(`${what}: the end`, () => child.died.length > 0, 60_000).catch((error: unknown) => { t.comment(child.lines.join('\n')); throw error; });
    const failed = child.lines.find((line) => line.includes('"event":"failed"')) ?? '';
    t.match(failed === '' ? {} : JSON.parse(failed), { code, message: says }, what);
    t.notOk(child.lines.some((line) => line.includes('wrong-secret') || line.includes(USER.password)), `${what}: no secret in the log`);
  }));
  const stranger = createClickHouse(loadSettings({ ...secured, CLICKHOUSE_CA_FILE: certificates.strangerCa }));
  t.teardown(() => stranger.close());
  await t.rejects(stranger.query({ query: 'SELECT 1' }), /certificate/);
  await t.rejects(createRegistry(loadSettings({ ...secured, SCHEMA_REGISTRY_CA_FILE: certificates.strangerCa }), testLog).client.getAllSubjects(), /certificate/);
});
