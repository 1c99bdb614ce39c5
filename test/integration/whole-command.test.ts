import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createClickHouse } from '../../runtime/clickhouse.js';
import { startEmbeddedClickHouse } from '../../runtime/embedded/clickhouse/start.js';
import { replayPrediction } from '../../deploy/replay/main.js';
import { reportOf } from '../../deploy/replay/report.js';
import { kafkajs } from '../../runtime/kafka/kafkajs.js';
import { freePort } from '../../runtime/ports.js';
import { loadSettings } from '../../runtime/settings.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { TOPICS } from '../../schemas/topics.js';
import { openEventFile } from '../../stream-processors/sources/replay/rows.js';
import { readItems } from '../../stream-processors/sources/replay/items.js';
import { testLog } from '../support/cluster.js';
import { difference } from '../support/features.js';
import { noKcat, run } from '../support/foreign/clients.js';
import { Expectation, landed } from '../support/landed.js';
import type { OracleEvent } from '../support/oracle.js';
import { seedOf } from '../support/random.js';
import { sharedData } from '../support/shared-data.js';
import { inEventTime, writeShopCsv, writeShopNdjson } from '../support/shop-file.js';
import { startUp, type UpProcess } from '../support/up-process.js';
import { runs, until } from '../support/wait.js';

const SEED = seedOf(11);
const DAY = 86_400_000;
/** `time  score  decision  customer`, as the console shows a score. */
const SCORE_LINE = /^\d\d:\d\d:\d\d {2}[01]\.\d{3} {2}\S+ +\S+/m;
/** No sweep: every prediction then has one event. */
const ENV = { SWEEP_INTERVAL_S: '0' };
const names = featureNames(view);
t.setTimeout(400_000);
t.comment(`TEST_SEED=${SEED}`);
const folder = await mkdtemp(join(tmpdir(), 'tidemark-whole-'));
t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

function start(dataDir: string, ...args: string[]): UpProcess {
  const up = startUp(dataDir, args, ENV);
  t.teardown(() => { if (up.process.exitCode === null) up.process.kill('SIGKILL'); });
  return up;
}

/** Plain JSON without a key, as kcat publishes lines; by kafkajs where there is no kcat. */
async function publish(brokers: string, lines: readonly string[]): Promise<void> {
  if (noKcat() === undefined) return void await run('kcat', ['-P', '-b', brokers, '-t', TOPICS.events.name], `${lines.join('\n')}\n`);
  const producer = new kafkajs.Kafka({ brokers: [brokers] }).producer();
  await producer.connect();
  await producer.send({ topic: TOPICS.events.name, messages: lines.map((value) => ({ value })) });
  await producer.disconnect();
}

t.test('a file through the shipped command: trained, scored live, landed; others publish; stopped and started again', async (t) => {
  const dataDir = join(folder, 'shop');
  const file = writeShopCsv(join(folder, 'shop.csv'), SEED);
  const expected = new Expectation();
  expected.takeFile(file.records);
  expected.dead('rule_broken', file.badRows);
  t.comment(`${file.records.length} records, ${expected.live.size} live`);

  const first = start(dataDir, '--events', file.path);
  const began = Date.now();
  await first.printed('Tidemark is up.', 240_000);
  await first.printed(SCORE_LINE, 60_000);
  t.comment(`first score after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  await first.printed('all events are published', 60_000);
  const settings = loadSettings({ ...first.endpoints(), DATA_DIR: dataDir });
  const client = createClickHouse(settings);
  t.teardown(() => client.close());
  const table = landed(client);
  await until('the file has landed', () => table.complete(expected), 90_000);
  t.same(await table.differences(expected), []);

  const latest = new Map(file.records.map((event) => [event.customer_id, event]));
  const known = [...latest.values()].slice(-60);
  const late = { ...known[0]!, event_id: 'foreign-late', event_time: known[0]!.event_time - 120 * DAY };
  const again = known[1]!;
  const fresh: OracleEvent[] = [...known.slice(2).map(({ customer_id }) => customer_id), 'Zoë 🛒'].map((customer_id, i) => ({
    event_id: `foreign-${i}`, customer_id, event_type: i % 3 === 0 ? 'purchase' : 'page_view', amount: i % 3 === 0 ? 10 + i / 8 : null, quantity: null,
    event_time: file.records.at(-1)!.event_time + DAY + i * 1000,
  }));
  for (const event of [late, again, ...fresh]) expected.take(event, true);
  expected.dead('not_json', 1);
  expected.dead('rule_broken', 1);
  await publish(settings.KAFKA_BROKERS!, [...[...fresh, late, again].map((event) => JSON.stringify(event)), '{"event_id": "cut', '{"event_id": "nobody"}']);
  await until('what others published has landed', () => table.complete(expected), 90_000);
  t.same(await table.differences(expected), []);
  t.same(await table.rows('SELECT DISTINCT view_version, trigger, degraded FROM predictions'), [{ view_version: view.version, trigger: 'event', degraded: false }]);
  t.equal(await table.one('SELECT count() AS n FROM model_versions'), 1);

  const predictions = await table.predictions();
  for (const { prediction_id } of predictions.filter((_, i) => i % Math.ceil(predictions.length / 8) === 0)) {
    const replay = await replayPrediction(settings, testLog, prediction_id);
    t.ok(replay.equal && replay.runtime.equal && replay.decision.equal, reportOf(replay));
  }
  const lastOf = new Map(predictions.map((prediction) => [prediction.customer_id, prediction]));
  const unscored = expected.oracle.customerIds().find((id) => !lastOf.has(id))!;
  const asked = [...[...lastOf.keys()].filter((_, i) => i % 20 === 0), 'Zoë 🛒'];
  async function serves(up: UpProcess): Promise<void> {
    const scorer = `http://127.0.0.1:${up.endpoints()['SCORER_PORT']}`;
    const get = async (id: string): Promise<{ features: Record<string, number | null>; prediction_id: string; score: number; model_version: string }> =>
      (await fetch(`${scorer}/customers/${encodeURIComponent(id)}`)).json() as never;
    const wrong: unknown[] = [];
    for (const customer_id of asked) {
      const last = lastOf.get(customer_id)!;
      const customer = await get(customer_id);
      const answer = await (await fetch(`${scorer}/predict`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ customer_id }) })).json() as { score: number; model_version: string };
      const differs = difference(names, names.map((name) => customer.features[name] ?? NaN), last.values);
      if (customer.prediction_id !== last.prediction_id || customer.score !== last.score || differs !== undefined) wrong.push({ last, customer, differs });
      if (Math.abs(answer.score - last.score) > 1e-6 || answer.model_version !== last.model_version) wrong.push({ last, answer });
    }
    t.same(wrong, [], `${asked.length} customers as they landed last`);
    const silent = await get(unscored);
    t.equal(difference(names, names.map((name) => silent.features[name] ?? NaN), expected.oracle.vector(unscored)), undefined, 'a customer of the history alone');
    t.equal((await fetch(`${scorer}/customers/nobody`)).status, 404);
    t.equal((await fetch(`${scorer}/health`)).status, 200);
  }
  await serves(first);
  const parts = [...first.children().values()];
  first.process.kill('SIGTERM');
  t.equal(await first.ended, 0, 'a clean stop');
  t.notMatch(first.output(), /starting it again|not in order/);
  t.notOk(parts.some(runs), 'no part runs on');

  const second = start(dataDir, '--events', file.path);
  await second.printed('all events are published', 120_000);
  t.notMatch(second.output(), /training|publishing/);
  const now = createClickHouse(loadSettings({ ...second.endpoints(), DATA_DIR: dataDir }));
  t.teardown(() => now.close());
  await serves(second);
  t.same(await landed(now).differences(expected), [], 'the same rows');
  t.equal(await landed(now).one('SELECT count() AS n FROM model_versions'), 1, 'no second model');
  second.process.kill('SIGTERM');
  t.equal(await second.ended, 0);
});

t.test('--exit-when-done ends when all is landed', async (t) => {
  const dataDir = join(folder, 'done');
  const real = sharedData('events');
  const path = real === undefined ? join(folder, 'shop.ndjson.gz') : join(real, 'cdnow-events.csv');
  t.comment(real === undefined ? 'no reference data beside the project: a generated file' : path);
  const records = real === undefined ? writeShopNdjson(path, SEED + 1).records : await recordsOf(path);
  const expected = new Expectation();
  expected.takeFile(records);

  const up = start(dataDir, '--events', path, '--exit-when-done');
  t.equal(await up.ended, 0, up.output());
  t.match(up.output(), 'all events are scored and landed');
  t.match(up.output(), SCORE_LINE);
  const server = await startEmbeddedClickHouse({ dataDir, log: testLog, port: await freePort() });
  const client = createClickHouse(loadSettings({ DATA_DIR: dataDir, CLICKHOUSE_URL: server.url }));
  t.same(await landed(client).differences(expected), [], `${expected.records} records, ${expected.live.size} live`);
  await client.close();
  await server.stop();
});

async function recordsOf(path: string): Promise<OracleEvent[]> {
  const records: OracleEvent[] = [];
  for await (const items of readItems(await openEventFile(path), {}, Date.now())) for (const { event } of items) if (event !== undefined) records.push(event);
  return inEventTime(records);
}
