import t from 'tap';
import { valueBin } from '../../../clickhouse/feature-columns.js';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { Log } from '../../../runtime/log.js';
import { loadSettings } from '../../../runtime/settings.js';
import { binOf } from '../../../schemas/drift/bins.js';
import { tenureSegment, tenureSegmentSql } from '../../../schemas/segments.js';
import { trainCandidate, type Candidate } from '../../../trainer/candidate.js';
import { within } from '../../../trainer/core/plan.js';
import { startCluster } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import { shopHistory } from '../../support/history.js';
import { random } from '../../support/random.js';

const SEED = Number(process.env['SEED'] ?? 12);
t.setTimeout(400_000);
t.comment(`SEED=${SEED}`);
const { settings, env } = await startCluster(t, { clickhouse: true, settings: { LABEL_HORIZON_DAYS: '14', TRAIN_SEARCH_TRIALS: '1' } });
const client = createClickHouse(settings);
t.teardown(() => client.close());
await migrate(client, settings);
const log = new Log('trainer', 'error', () => {});
const rowsOf = async (query: string): Promise<Record<string, unknown>[]> => (await client.query({ query, format: 'JSONEachRow' })).json();
const run = (run_id: string, over: Record<string, string> = {}): Promise<Candidate> =>
  trainCandidate(loadSettings({ ...env, TRAIN_FAMILIES: 'logistic_regression', ...over }), log, { run_id, retrain_event_id: `event-${run_id}`, store: false });
let first: Candidate;

t.test('each stage of a training has its row, and the run says what came of it', async (t) => {
  await t.rejects(run('early'), { code: 'TRAINING_DATA_INSUFFICIENT' });
  t.match(await rowsOf("SELECT status, error FROM training_runs FINAL WHERE run_id = 'early'"), [{ status: 'failed', error: /no events have landed/ }]);
  await insertEvents(client, shopHistory({ seed: SEED, customers: 120, days: 100 }));

  first = await run('r1', { TRAIN_FAMILIES: 'xgboost,logistic_regression' });
  const stages = await rowsOf("SELECT ordinal, stage, status, detail FROM training_stages FINAL WHERE run_id = 'r1' ORDER BY ordinal");
  t.same(stages.map(({ stage }) => stage), ['library', 'fetch', 'validate', 'clean', 'features', 'validate_rows', 'train', 'evaluate']);
  t.ok(stages.every(({ status }) => status === 'done'));
  t.match(JSON.parse(String(stages[2]!['detail'])), { expectations: [{ name: 'events_have_a_customer', passed: true, observed: 0 }] });
  const [row] = await rowsOf("SELECT * FROM training_runs FINAL WHERE run_id = 'r1'");
  t.match(row, { status: 'trained', retrain_event_id: 'event-r1', version: first.manifest.version, family: first.manifest.family, data_hash: first.manifest.data_hash });
  t.match(JSON.parse(String(row!['detail'])), { families: [{ trials: 1 }, { trials: 1 }], cleaning: [{ rule: 'quarantined', count: 0 }] });
  t.equal(first.facts.families.length, 2);
  t.ok(first.facts.expectations.length > 10 && first.facts.expectations.every(({ passed, severity }) => passed || severity === 'warning'));
});

t.test('the same run done again replaces its rows, and gives the same bytes', async (t) => {
  const again = await run('r1', { TRAIN_FAMILIES: 'xgboost,logistic_regression' });
  t.ok(again.onnx.equals(first.onnx), 'same data and seed, same model');
  t.same(await rowsOf("SELECT count() AS n FROM training_stages FINAL WHERE run_id = 'r1'"), [{ n: '8' }]);
  t.same(await rowsOf("SELECT count() AS n FROM training_runs FINAL WHERE run_id = 'r1'"), [{ n: '1' }]);
  await again.run.note('kept', { reason: 'no better' });
  t.match(await rowsOf("SELECT status, version, detail FROM training_runs FINAL WHERE run_id = 'r1'"), [{ status: 'kept', version: again.manifest.version, detail: /no better/ }]);
});

t.test('a candidate brings the profile of its rows', async (t) => {
  const { manifest, dataset, holdout } = first;
  const inTraining = [...dataset.rows.at].filter((at) => within(dataset.plan.train, at)).length;
  for (const name of manifest.features) {
    const profile = manifest.profile.find(({ feature, segment }) => feature === name && segment === '');
    t.equal(profile?.rows.reduce((sum, rows) => sum + rows, 0), inTraining, name);
  }
  t.equal(manifest.profile.find(({ feature, segment }) => feature === 'score' && segment === '')!.rows.reduce((sum, rows) => sum + rows, 0), holdout.rows.rows);
  t.ok(manifest.profile.some(({ segment }) => segment === 'tenure=30-90,trigger=event'));
});

t.test('bins and bands are the same in TypeScript and in SQL', async (t) => {
  const next = random(SEED);
  const values = [0, -0, 1, -1, 2, 4, 0.5, 3, 30, 90, 180, 365, 1e300, 1e-300, -1e300, 5e-324, ...Array.from({ length: 60 }, (_, i) => 2 ** (i - 30)),
    ...Array.from({ length: 3000 }, () => (next() < 0.2 ? -1 : 1) * 10 ** (next() * 12 - 6)), ...Array.from({ length: 500 }, () => Math.floor(next() * 400))];
  const answer = await client.query({
    query: `SELECT ${valueBin('value')} AS bin, ${tenureSegmentSql('value')} AS band FROM (SELECT arrayJoin({values:Array(Float64)}) AS value)`, query_params: { values }, format: 'JSONEachRow',
  });
  const found = await answer.json<{ bin: number; band: string }>();
  t.equal(found.length, values.length);
  t.same(found.map(({ bin }) => bin), values.map((value) => binOf(value)));
  t.same(found.map(({ band }) => band), values.map((value) => tenureSegment(value)));
});

t.test('moments inside quarantined windows are left out, by channel where one is named', async (t) => {
  const { plan, rows } = first.dataset;
  const day = 86_400_000;
  const [from, to] = [plan.train.after + 5 * day, plan.train.after + 8 * day];
  const quarantine = async (quarantine_id: string, channel: string, model = settings.MODEL_NAME): Promise<void> => {
    const now = new Date().toISOString();
    await client.insert({ table: 'quarantined_windows', values: [{ quarantine_id, model, window_from: new Date(from).toISOString(), window_to: new Date(to).toISOString(), channel, cause: 'null_burst', created_at: now, updated_at: now }], format: 'JSONEachRow' });
  };
  const inside = (set: Candidate): number => [...set.dataset.rows.at].filter((at) => at >= from && at < to).length;
  const expected = inside(first);
  t.ok(expected > 50, `${expected} moments inside`);
  await quarantine('q0', '', 'another');
  t.equal((await run('q0')).dataset.data_hash, first.dataset.data_hash, 'another model’s windows do not count');
  await quarantine('q1', 'a channel that nobody used');
  t.equal(inside(await run('q1')), expected);
  await quarantine('q1', '');
  const without = await run('q2');
  t.equal(inside(without), 0);
  t.equal(without.dataset.rows.rows, rows.rows - expected, 'all others are there');
  t.not(without.dataset.data_hash, first.dataset.data_hash);
  t.match(without.facts.cleaning, [{ rule: 'quarantined', count: expected }]);
  t.ok(without.dataset.lineage.query.includes(String(from)), 'the query of the set says it');
});
