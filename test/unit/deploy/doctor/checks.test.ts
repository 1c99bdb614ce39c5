import { createServer } from 'node:net';
import t from 'tap';
import { type Check, fail, ok, renderResults, runChecks, warn } from '../../../../deploy/doctor/check.js';
import { misspelt } from '../../../../deploy/doctor/environment.js';
import { disk, jars, neededJars } from '../../../../deploy/doctor/machine.js';
import { broker, clickhouse, registry } from '../../../../deploy/doctor/network.js';
import { loadSettings } from '../../../../runtime/settings.js';
import { freePort } from '../../../support/ports.js';

t.test('slips of the fingers are told, other programs’ variables are not', (t) => {
  t.same(misspelt({ KAFKA_BROKER: 'a:1', CLICKHOUSE_PASWORD: 'x', SCHEMA_REGISTRY_PASSWORD_FIL: 'f' }), [
    { name: 'KAFKA_BROKER', meant: 'KAFKA_BROKERS' },
    { name: 'CLICKHOUSE_PASWORD', meant: 'CLICKHOUSE_PASSWORD' },
    { name: 'SCHEMA_REGISTRY_PASSWORD_FIL', meant: 'SCHEMA_REGISTRY_PASSWORD_FILE' },
  ]);
  t.same(misspelt({ KAFKA_BROKERS: 'a:1', CLICKHOUSE_PASSWORD_FILE: 'f', KAFKA_HEAP_OPTS: '-Xmx1g', PATH: '/bin', JAVA_HOME: '/jdk', LANG: 'C' }), []);
  t.end();
});

t.test('only what applies is checked; what throws has failed; the fix stands under it', async (t) => {
  const check = (name: string, run: Check['run'], applies = true): Check => ({ name, quick: true, applies: () => applies, run });
  const results = await runChecks([
    check('a', async () => ok('fine')),
    check('not for us', async () => fail('?', '?'), false),
    check('bb', async () => warn('low', 'add more')),
    check('c', async () => { throw new Error('broken'); }),
  ], loadSettings({}));
  t.same(results.map(({ name, status }) => [name, status]), [['a', 'ok'], ['bb', 'warn'], ['c', 'fail']]);
  t.match(renderResults(results), /^ok {4}a {3}fine\nwarn {2}bb {2}low\n +→ add more\nFAIL {2}c {3}broken\n/);
});

t.test('what runs somewhere else needs no jars here', (t) => {
  t.same(neededJars(loadSettings({})), ['kafka', 'registry', 'xgboost']);
  const remote = loadSettings({ KAFKA_BROKERS: 'a:1', SCHEMA_REGISTRY_URL: 'http://r', XGBOOST_LIBRARY: '/lib/libxgboost.so' });
  t.same(neededJars(remote), []);
  t.equal(jars.applies(remote), false);
  t.equal(broker.applies(remote), true);
  t.equal(clickhouse.applies(remote), false);
  t.end();
});

t.test('a data folder that cannot be written is a failure with its fix', async (t) => {
  const folder = t.testdir({ file: '' });
  t.match(await disk.run(loadSettings({ DATA_DIR: `${folder}/file/data` })), { status: 'fail', fix: /DATA_DIR/ });
  t.match(await disk.run(loadSettings({ DATA_DIR: `${folder}/new` })), { status: 'ok', detail: /GiB free/ });
});

t.test('servers that are not there, or are something else, fail with the variables to look at', async (t) => {
  const nobody = await freePort();
  const stranger = createServer((socket) => { socket.on('error', () => {}); socket.end('220 mail.example ESMTP\r\n'); }).listen(0, '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  t.teardown(() => stranger.close());
  const address = stranger.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  t.match(await broker.run(loadSettings({ KAFKA_BROKERS: `127.0.0.1:${nobody}` })), { status: 'fail', detail: /KAFKA_BROKERS/ });
  t.match(await broker.run(loadSettings({ KAFKA_BROKERS: `127.0.0.1:${port}` })), { status: 'fail', fix: /KAFKA_TLS/ });
  for (const [check, name, fix] of [[registry, 'SCHEMA_REGISTRY_URL', /apis\/ccompat/], [clickhouse, 'CLICKHOUSE_URL', /CLICKHOUSE_USER/]] as const)
    for (const at of [nobody, port]) t.match(await check.run(loadSettings({ [name]: `http://127.0.0.1:${at}` })), { status: 'fail', fix }, `${name} ${at === port ? 'a stranger' : 'nobody'}`);
});
