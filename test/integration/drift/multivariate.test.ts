import { createHash } from 'node:crypto';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { openArtifacts } from '../../../runtime/artifacts/store.js';
import { putTree } from '../../../runtime/artifacts/tree.js';
import type { Measurement } from '../../../schemas/drift/measurement.js';
import { measureMultivariate } from '../../../stream-processors/drift/multivariate.js';
import { measureDrift } from '../../../stream-processors/drift/report.js';
import { sampleTrainingRows } from '../../../trainer/artifacts/sample.js';
import { datasetTree } from '../../../trainer/artifacts/store.js';
import { domainClassifier } from '../../../trainer/domain.js';
import { loadXgboost } from '../../../trainer/xgboost/library.js';
import { startClickHouse } from '../../support/clickhouse.js';
import { TEST_JARS_DIR } from '../../support/cluster.js';
import { insertPredictions, type TestPrediction } from '../../support/drift.js';
import { random as randomOf, seedOf } from '../../support/random.js';

/** A shift of how features go together, each alone as before: only the classifier of all of them sees it. */
const HOUR = 3_600_000;
const AT = Date.UTC(2026, 2, 1);
const PREVIOUS = { from: AT, to: AT + 24 * HOUR };
const WINDOW = { from: AT + 24 * HOUR, to: AT + 48 * HOUR };
const LATER = { from: AT + 48 * HOUR, to: AT + 72 * HOUR };
const FEATURES = ['tenure_days', 'events_7d', 'purchases_7d', 'carts_7d'];
const ROWS = 1500;

const seed = seedOf(11);
t.comment(`seed ${seed}`);
const random = randomOf(seed);
const clickhouse = await startClickHouse(t);
const client = clickhouse.client();
const settings = { ...clickhouse.settings, JARS_DIR: TEST_JARS_DIR };
await migrate(client, settings);

const row = (from: number, together: boolean): TestPrediction => {
  const events_7d = Math.floor(random() * 20);
  return {
    event_time: from + Math.floor(random() * 24 * HOUR), model_version: 'v1', channel: 'web', trigger: random() < 0.8 ? 'event' : 'sweep', score: random(), tenure_days: random() * 400,
    events_7d, purchases_7d: together ? events_7d : Math.floor(random() * 20), spend_7d: 0, carts_7d: random() < 0.1 ? NaN : Math.floor(random() * 3),
  };
};
await insertPredictions(client, Array.from({ length: ROWS }, () => row(PREVIOUS.from, false)));
await insertPredictions(client, Array.from({ length: ROWS }, () => row(WINDOW.from, false)));
await insertPredictions(client, Array.from({ length: ROWS }, () => row(LATER.from, true)));

const classify = domainClassifier(await loadXgboost(settings), 1);
const base = { model: 'churn', modelVersion: 'v1', segments: [] };
const options = { classify, features: FEATURES, rows_max: 1000, seed: 7 };
const auc = (measured: readonly Measurement[], against = 'previous'): Measurement => measured.find((one) => one.against === against && one.statistic === 'domain_auc')!;

t.test('no shift: a classifier tells nothing', async (t) => {
  const one = auc(await measureMultivariate(client, { ...base, window: WINDOW, previous: PREVIOUS }, options));
  t.ok(one.value > 0.44 && one.value < 0.56 && one.p! > 0.001, `${one.value}, p ${one.p}`);
  t.match(one, { feature: 'multivariate', segment: '' });
  t.ok(one.n === one.n_reference && one.n > 900 && one.n <= 1000, `${one.n} rows`);
});

t.test('features that go together now and did not before', async (t) => {
  const request = { ...base, window: LATER, previous: WINDOW };
  const measured = await measureMultivariate(client, request, options);
  const one = auc(measured);
  t.ok(one.value > 0.8 && one.p! < 1e-12, `${one.value}, p ${one.p}`);
  const alone = (await measureDrift(client, request)).filter((each) => each.statistic === 'ks' && FEATURES.includes(each.feature));
  t.ok(alone.length > 0 && alone.every((each) => each.p! > 1e-4), 'each feature alone is as it was');
  t.same(await measureMultivariate(client, request, options), measured, 'the same data and seed, the same figure');
});

t.test('against the stored training rows', async (t) => {
  const rows = `SELECT concat('c', toString(number)) AS customer_id, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') AS at, number % 5 != 0 AS on_event, if(number % 4 = 0, 'holdout', 'train') AS part, 0 AS churned,
    toFloat32(cityHash64(number, 1) % 4000 / 10) AS tenure_days, toFloat32(cityHash64(number, 2) % 20) AS events_7d, toFloat32(cityHash64(number, 3) % 20) AS purchases_7d, toFloat32(if(cityHash64(number, 4) % 10 = 0, nan, cityHash64(number, 5) % 3)) AS carts_7d
    FROM numbers(4000) FORMAT Parquet`;
  const answer = await fetch(`${clickhouse.server.url}/`, { method: 'POST', body: rows });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const manifest = Buffer.from(JSON.stringify({ files: [{ path: 'rows-0000.parquet' }] }));
  const dataset_id = createHash('sha256').update(manifest).digest('hex');
  await putTree(openArtifacts(settings), datasetTree(dataset_id), [{ path: 'rows-0000.parquet', bytes }, { path: 'manifest.json', bytes: manifest }]);
  const training = (features: readonly string[], rows_max: number, drawn: number): ReturnType<typeof sampleTrainingRows> => sampleTrainingRows(settings, client, dataset_id, features, rows_max, drawn);

  const drawn = (await training(['events_7d', 'not_there'], 500, 3))!;
  t.equal(drawn.customers.length, 500);
  t.ok(Number.isNaN(drawn.values[1]) && drawn.values[0]! < 20, 'a feature that the set does not have is missing');
  t.same(await training(['events_7d', 'not_there'], 500, 3), drawn);
  t.equal(await sampleTrainingRows(settings, client, 'f'.repeat(64), FEATURES, 10, 1), undefined);

  const calm = auc(await measureMultivariate(client, { ...base, window: WINDOW, previous: PREVIOUS }, { ...options, training }), 'reference');
  t.ok(calm.value < 0.57 && calm.p! > 0.001, `${calm.value}, p ${calm.p}`);
  const moved = auc(await measureMultivariate(client, { ...base, window: LATER, previous: PREVIOUS }, { ...options, training }), 'reference');
  t.ok(moved.value > 0.8, `${moved.value}`);
});

t.test('too few rows: no figure', async (t) => {
  const empty = { from: AT - 48 * HOUR, to: AT - 24 * HOUR };
  t.same(await measureMultivariate(client, { ...base, window: WINDOW, previous: empty }, options), []);
});
