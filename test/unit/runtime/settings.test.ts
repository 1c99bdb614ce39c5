import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { envExample, SETTING_DOCS, settingsTable, shownValue } from '../../../runtime/settings-docs.js';
import { loadSettings, SECRETS } from '../../../runtime/settings.js';
import { TidemarkError } from '../../../runtime/errors.js';

const refusal = (env: NodeJS.ProcessEnv, overrides?: Record<string, string>): string => {
  try {
    loadSettings(env, overrides);
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return 'accepted';
};

t.test('without an environment everything has its default, and an empty variable counts as unset', (t) => {
  const settings = loadSettings({});
  t.match(settings, { DATA_DIR: '.tidemark', KAFKA_PORT: 9092, KAFKA_TLS: false, CLICKHOUSE_DATABASE: 'tidemark' });
  t.equal(settings.KAFKA_BROKERS, undefined);
  t.same(loadSettings({ KAFKA_BROKERS: '', KAFKA_PORT: '' }), settings);
  t.equal(loadSettings({ KAFKA_BROKERS: 'a-1:9092, b_2:19092' }).KAFKA_BROKERS, 'a-1:9092, b_2:19092');
  t.same(loadSettings({ PATH: '/bin', KAFKA_HEAP_OPTS: '-Xmx1g' }), settings, 'other programs’ variables are left alone');
  t.end();
});

t.test('all problems are told at once, each with its variable and what was got', (t) => {
  const message = refusal({ KAFKA_PORT: '70000', SCORER_PORT: 'http', KAFKA_TLS: 'yes', LOG_LEVEL: 'loud', CLICKHOUSE_DATABASE: 'a-b', SCHEMA_REGISTRY_URL: 'user:secret@nowhere', KAFKA_BROKERS: 'kafka://broker' });
  for (const name of ['KAFKA_PORT: got "70000"', 'SCORER_PORT: got "http"', 'KAFKA_TLS: got "yes"', 'LOG_LEVEL: got "loud"', 'CLICKHOUSE_DATABASE: got "a-b"', 'SCHEMA_REGISTRY_URL: expected an address', 'KAFKA_BROKERS: got "kafka://broker": expected host:port'])
    t.ok(message.includes(name), name);
  t.notMatch(message, /secret/, 'an address may carry a password');
  t.end();
});

t.test('settings that need one another', (t) => {
  const table: [NodeJS.ProcessEnv, RegExp][] = [
    [{ KAFKA_SASL_MECHANISM: 'plain' }, /KAFKA_SASL_MECHANISM is set without KAFKA_SASL_USERNAME.*KAFKA_SASL_MECHANISM is set without KAFKA_SASL_PASSWORD/],
    [{ KAFKA_SASL_USERNAME: 'a' }, /without KAFKA_SASL_MECHANISM/],
    [{ KAFKA_TLS: 'true', KAFKA_CERT_FILE: 'c.pem' }, /KAFKA_CERT_FILE is set without KAFKA_KEY_FILE/],
    [{ KAFKA_CA_FILE: 'ca.pem' }, /without KAFKA_TLS=true/],
    [{ SCHEMA_REGISTRY_PASSWORD: 'x' }, /without SCHEMA_REGISTRY_USERNAME/],
  ];
  for (const [env, message] of table) t.match(refusal(env), message);
  t.equal(refusal({ KAFKA_TLS: '1', KAFKA_CA_FILE: 'ca.pem', KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'a', KAFKA_SASL_PASSWORD: 'b' }), 'accepted');
  t.end();
});

t.test('every secret may come from a file, without its last line break, and from one place only', (t) => {
  const file = join(t.testdir({ secret: 'p wörd\n' }), 'secret');
  t.equal(loadSettings({ CLICKHOUSE_PASSWORD_FILE: file }).CLICKHOUSE_PASSWORD, 'p wörd');
  for (const name of SECRETS) {
    t.match(refusal({ [name]: 'x', [`${name}_FILE`]: file }), new RegExp(`${name} and ${name}_FILE are both set`));
    t.match(refusal({ [`${name}_FILE`]: '/nowhere/secret' }), new RegExp(`${name}_FILE: cannot read /nowhere/secret \\(ENOENT\\)`));
    t.equal(shownValue(name, 'x'), '***');
  }
  t.equal(shownValue('CLICKHOUSE_URL', 'https://user:secret@host:8443/'), 'https://user:***@host:8443/');
  t.equal(shownValue('KAFKA_PORT', 9092), '9092');
  t.end();
});

t.test('overrides stand above the environment', (t) => {
  t.equal(loadSettings({ SCORER_PORT: '1' }, { SCORER_PORT: '2' }).SCORER_PORT, 2);
  t.match(refusal({}, { SCORER_PORT: 'x' }), /SCORER_PORT: got "x"/);
  t.end();
});

t.test('every setting says what it is, and the documents are those of the schema', (t) => {
  for (const { name, meaning } of SETTING_DOCS) t.match(name + meaning, /^[A-Z][A-Z0-9_]*[^A-Z].{10,}/, name);
  const file = join(PROJECT_ROOT, '.env.example');
  if (process.env['TIDEMARK_UPDATE_DOCS'] === '1') writeFileSync(file, envExample());
  t.equal(readFileSync(file, 'utf8'), envExample(), '.env.example: tidemark settings --env-example > .env.example');
  const table = settingsTable();
  t.equal(table.split('\n').length, SETTING_DOCS.length + 2);
  t.match(table, /\| `CLICKHOUSE_PASSWORD` \|  \| .*`CLICKHOUSE_PASSWORD_FILE`/);
  t.notMatch(table, /undefined|\[object/);
  t.end();
});
