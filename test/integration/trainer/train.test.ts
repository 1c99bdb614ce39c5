import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { Log } from '../../../runtime/log.js';
import { sha256Of, type ModelVersion } from '../../../runtime/models/assemble.js';
import { createManifestCodec } from '../../../runtime/models/codec.js';
import { readModels } from '../../../runtime/models/read.js';
import { until } from '../../support/wait.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import { loadSettings } from '../../../runtime/settings.js';
import { customerActivity } from '../../../schemas/features/customer-activity.js';
import { loadModel } from '../../../scorer/model/load.js';
import { train, type TrainOptions, type TrainResult } from '../../../trainer/main.js';
import { runOnnx, SCORE_TOLERANCE } from '../../../trainer/onnx/run.js';
import { reportOf } from '../../../trainer/report.js';
import { startCluster } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import { shopHistory } from '../../support/history.js';

const SEED = Number(process.env['SEED'] ?? 9);
t.setTimeout(400_000);
t.comment(`SEED=${SEED}`);
const { settings, env } = await startCluster(t, { kafka: true, registry: true, clickhouse: true, settings: { LABEL_HORIZON_DAYS: '14', TRAIN_SEARCH_TRIALS: '1', TRAIN_FAMILIES: 'xgboost' } });
const client = createClickHouse(settings);
await migrate(client, settings);
const lines: { event: string; stage?: string; took_ms?: number }[] = [];
const log = new Log('trainer', 'info', (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
const run = (options: TrainOptions = {}, over: Record<string, string> = {}): Promise<TrainResult> => train(loadSettings({ ...env, ...over }), log, options);

t.test('nothing landed, nothing published', async (t) => {
  await t.rejects(run(), { code: 'TRAINING_DATA_INSUFFICIENT' });
  await insertEvents(client, shopHistory({ seed: SEED, customers: 150, days: 100 }));
  await client.close();
  await t.rejects(run({}, { LABEL_HORIZON_DAYS: '60' }), { code: 'TRAINING_DATA_INSUFFICIENT', message: /a horizon of 60 days needs/ });
  await t.rejects(run({ parameters: { max_dept: 2 } }), { code: 'CONFIG_INVALID', message: /max_dept: unknown/ });
});

t.test('a training publishes a champion that the scorer takes', async (t) => {
  const result = await run();
  const { manifest } = result;
  t.match(manifest.version, /^\d{8}T\d{6}Z-[0-9a-f]{8}$/);
  t.match(manifest, { model: 'churn', stage: 'champion', view: customerActivity.name, view_version: customerActivity.version });
  t.ok(manifest.metrics['auc']! > 0.65, `AUC ${manifest.metrics['auc']}`);
  for (const name of ['pr_auc', 'log_loss', 'brier']) t.ok(manifest.metrics[name]! > 0 && manifest.metrics[name]! < 1, name);
  t.ok(manifest.metrics['onnx_difference_max']! < 1e-6);
  t.ok(manifest.test_inputs.some((input) => input.includes(null)), 'test vectors with missing values');

  const versions: ModelVersion[] = [];
  // a commit returns before its markers let readers see it
  await until('the published version', async () => {
    await readModels({ kafka: createKafka(settings, log), codec: createManifestCodec(createRegistry(settings, log)), log, onModel: (version) => void versions.push(version) });
    return versions.length > 0;
  });
  t.equal(versions.length, 1);
  const published = versions[0]!;
  t.same(published.manifest, manifest);
  t.ok(published.onnx.equals(result.onnx));

  const inputs = Float32Array.from(manifest.test_inputs.flat(), (value) => value ?? NaN);
  const scores = await runOnnx(published.onnx, inputs, manifest.test_inputs.length, manifest.features.length);
  t.ok(manifest.test_outputs.every((output, i) => Math.abs(output - scores[i]!) <= SCORE_TOLERANCE), 'the test vectors hold');
  const loaded = await loadModel(published, customerActivity);
  loaded.session.release();
});

t.test('the same events and seed give the same bytes, another seed others; a dry run publishes nothing', async (t) => {
  const first = await run({ publish: false });
  const again = await run({ publish: false });
  t.equal(again.manifest.data_hash, first.manifest.data_hash);
  t.equal(again.manifest.onnx_sha256, first.manifest.onnx_sha256);
  t.equal(first.manifest.onnx_sha256, sha256Of(first.onnx));
  const other = await run({ publish: false, parameters: { seed: 8 }, mode: 'none' });
  t.equal(other.manifest.data_hash, first.manifest.data_hash);
  t.not(other.manifest.onnx_sha256, first.manifest.onnx_sha256);
  t.equal(other.manifest.stage, 'candidate');
  let versions = 0;
  await readModels({ kafka: createKafka(settings, log), codec: createManifestCodec(createRegistry(settings, log)), log, onModel: () => void versions++ });
  t.equal(versions, 1);
  t.match(reportOf(first), /not published[\s\S]*AUC +0\.\d{4}\n[\s\S]*log loss +0\.\d{4}\n/);
});

t.test('each stage is logged with its duration', async (t) => {
  for (const stage of ['library', 'fetch', 'validate', 'clean', 'features', 'validate_rows', 'train', 'evaluate', 'store_model', 'compare', 'deploy']) {
    const done = lines.find((line) => line.event === 'stage_done' && line.stage === stage);
    t.type(done?.took_ms, 'number', stage);
  }
});
