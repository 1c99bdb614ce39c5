import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { Log } from '../../../runtime/log.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../schemas/features/derive.js';
import { clickHouseSender, createApiLog } from '../../../scorer/api-log/log.js';
import { createHistory } from '../../../scorer/store/history.js';
import { startClickHouse } from '../../support/clickhouse.js';
import { logisticModel } from '../../support/onnx.js';
import { scored, startTestScorer } from '../../support/scorer.js';
import { until } from '../../support/wait.js';

t.setTimeout(300_000);
const names = featureNames(view);
const model = logisticModel(view, 'v1', 1);
const clickhouse = await startClickHouse(t);
const client = clickhouse.client();
await migrate(client, clickhouse.settings);
const rowsOf = async <Row>(query: string): Promise<Row[]> => (await client.query({ query, format: 'JSONEachRow' })).json<Row>();

const logged: Record<string, unknown>[] = [];
const log = new Log('test', 'info', (line) => { logged.push(JSON.parse(line) as Record<string, unknown>); });
const sender = clickHouseSender(clickhouse.settings);
const apiLog = createApiLog({ viewVersion: view.version, width: names.length, bytesMax: 2 ** 20, send: sender.send, log });
const history = createHistory(clickhouse.settings, log);
const { url, holder, store } = await startTestScorer(t, { apiLog, history });
t.teardown(async () => { await apiLog.stop(); await Promise.all([sender.close(), history.close()]); });
await holder.offer(model);
const row = names.map((_, i) => (i === 3 ? Number.NaN : i * 0.5));
store.put(0, 5, [{ customerId: 'Zoë', value: scored('Zoë', 4, 0.25, row).prediction }]);
const post = async (path: string, body: string, type = 'application/json', id = ''): Promise<any> =>
  (await fetch(url + path, { method: 'POST', headers: { 'content-type': type, ...(id === '' ? {} : { 'x-request-id': id }) }, body })).text();

t.test('every prediction of the API lands once, with its values and its request', async (t) => {
  await post('/predict', JSON.stringify({ customer_id: 'Zoë' }), undefined, 'one');
  await post('/predict', JSON.stringify(row), undefined, 'two');
  await post('/batch-predict', JSON.stringify([row, { customer_id: 'Zoë' }, { customer_id: 'nobody' }]), undefined, 'three');
  await post('/batch-predict', `${JSON.stringify(row)}\n`.repeat(3), 'application/x-ndjson', 'four');
  await post('/v2/models/churn/infer', JSON.stringify({ inputs: [{ name: 'input', shape: [1, names.length], datatype: 'FP32', data: row }] }), undefined, 'five');
  await post('/predict', '{"customer_id":"nobody"}', undefined, 'six');
  await until('8 rows', async () => (await rowsOf<{ c: string }>('SELECT count() AS c FROM api_predictions'))[0]!.c === '8');
  const got = await rowsOf<any>('SELECT request_id, row, source, customer_id, score, decision, model_version, view_version, degraded, features FROM api_predictions ORDER BY request_id, row');
  t.match(got, [
    { request_id: 'five', row: 0, source: 'infer', customer_id: '' }, { request_id: 'four', row: 0, source: 'batch' }, { request_id: 'four', row: 1 }, { request_id: 'four', row: 2 },
    { request_id: 'one', source: 'predict', customer_id: 'Zoë' }, { request_id: 'three', row: 0, customer_id: '' }, { request_id: 'three', row: 1, customer_id: 'Zoë' }, { request_id: 'two', customer_id: '' },
  ]);
  for (const { score, features, ...rest } of got) {
    t.ok(Math.abs(score - model.score(row)) < 1e-6);
    t.match(rest, { decision: score >= 0.5 ? 'at_risk' : 'keep', model_version: 'v1', view_version: 1, degraded: false });
    t.same(features.map(Number), row.map((value) => Math.fround(value)));
  }
  t.equal(apiLog.counts.landed, 8);
  t.equal((await rowsOf<{ c: string }>('SELECT count() AS c FROM predictions'))[0]!.c, '0', 'what drift and labels rest on has none of them');
});

t.test('a customer’s history has both kinds, newest first', async (t) => {
  const at = '2026-01-02T03:04:05Z';
  await client.insert({ table: 'predictions', format: 'JSONEachRow', values: [{ prediction_id: '0-1', customer_id: 'Zoë', event_id: 'e', event_time: at, scored_at: at, score: 0.75, decision: 'at_risk', model_version: 'v0', view_version: 1, trigger: 'event', produced_at: at, features_at: at, spend_30d: 7 }] });
  const customer = await (await fetch(`${url}/customers/${encodeURIComponent('Zoë')}`)).json() as any;
  t.match(customer.history.map(({ kind, model_version }: { kind: string; model_version: string }) => [kind, model_version]), [['api', 'v1'], ['api', 'v1'], ['stream', 'v0']]);
  t.match(customer.history[2], { prediction_id: '0-1', scored_at: '2026-01-02T03:04:05.000Z', score: 0.75, degraded: false });
  t.equal((await (await fetch(`${url}/customers/Zo%C3%AB?history=1`)).json() as any).history.length, 1);
  t.equal((await (await fetch(`${url}/customers/Zo%C3%AB?history=0`)).json() as any).history, undefined);
  for (const query of ['history=-1', 'history=1001', 'history=x', 'more=1']) t.equal((await fetch(`${url}/customers/Zo%C3%AB?${query}`)).status, 400, query);
  t.same(await rowsOf('SELECT features[8] AS spend_30d FROM scores WHERE kind = \'stream\''), [{ spend_30d: 7 }], 'features in view order');
});

t.test('without ClickHouse requests are answered, what waits is bounded, what is dropped is counted; later the rest lands', async (t) => {
  await clickhouse.server.stop();
  const customer = await (await fetch(`${url}/customers/Zo%C3%AB`)).json() as any;
  t.match(customer, { score: 0.25, history: null, history_unavailable: /ClickHouse/ });
  const batch = JSON.stringify(Array.from({ length: 3000 }, () => row));
  for (let i = 0; i < 6; i++) t.match(await post('/batch-predict', batch), /"predictions":\[/);
  await until('some rows are dropped', () => apiLog.counts.dropped > 0);
  t.ok(apiLog.counts.waitingBytes <= 2 ** 20);
  t.ok(logged.some(({ event }) => event === 'api_log_waits'));
  await clickhouse.restart();
  // The batches' thread hands its last rows on when a block is full or a second old.
  await until('every row has landed or was dropped', () => apiLog.counts.landed + apiLog.counts.dropped >= 8 + 18_000);
  t.equal(apiLog.counts.landed + apiLog.counts.dropped, 8 + 18_000);
  t.equal(apiLog.counts.waitingBytes, 0);
  t.equal(Number((await rowsOf<{ c: string }>('SELECT count() AS c FROM api_predictions'))[0]!.c), apiLog.counts.landed);
});
