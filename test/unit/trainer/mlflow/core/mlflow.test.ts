import t from 'tap';
import { MANIFEST_DEFAULTS, type ModelManifest } from '../../../../../schemas/events/model.js';
import { artifactUrl, authorization } from '../../../../../trainer/mlflow/client.js';
import { aliasChanges } from '../../../../../trainer/mlflow/core/aliases.js';
import { mlmodelText, runOf } from '../../../../../trainer/mlflow/core/run.js';

const manifest: ModelManifest = {
  model: 'churn', version: 'v1', stage: 'candidate', family: 'xgboost', view: 'v', view_version: 2, features: ['a', 'b'], created_at: 1_700_000_000_123,
  onnx_bytes: 1, onnx_sha256: 'ff', chunk_count: 1, metrics: { auc: 0.5, 'f1@0.5': 1, bad: NaN, worse: Infinity }, parameters: { eta: '0.1', long: 'x'.repeat(7000), empty: '' },
  data_hash: 'h', data_from: 0, data_to: 86_400_000, data_rows: 9, test_inputs: [], test_outputs: [], ...MANIFEST_DEFAULTS,
};

t.test('a version as a run, within what MLflow takes', async (t) => {
  const run = runOf(manifest);
  t.equal(run.at, manifest.created_at);
  t.same(run.metrics.map(({ key, value }) => [key, value]), [['auc', 0.5], ['f1_0.5', 1]]);
  t.ok(run.tags.some(({ key, value }) => key === 'tidemark.version' && value === 'v1'));
  t.notOk(run.tags.some(({ value }) => value === ''));
  t.same(run.params.map(({ key }) => key), ['family', 'eta', 'long', 'data_from', 'data_to', 'data_rows']);
  t.equal(run.params[2]!.value.length, 6000);
  t.equal(runOf({ ...manifest, parameters: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, '1'])) }).params.length, 100);
});

t.test('MLmodel names its run, its inputs and its file', async (t) => {
  const text = mlmodelText(manifest, 'abc');
  t.match(text, 'run_id: "abc"');
  t.match(text, 'data: model.onnx');
  t.match(text, '\\"shape\\":[-1,2]');
  t.match(text, 'utc_time_created: "2023-11-14 22:13:20.123000"');
});

t.test('aliases: what changes, and nothing else', async (t) => {
  const numbers = new Map([['a', '1'], ['b', '2']]);
  const cases: readonly (readonly [current: Record<string, string>, champion: string | undefined, challenger: string | undefined, want: Record<string, string | undefined>])[] = [
    [{}, undefined, undefined, {}],
    [{}, 'a', undefined, { champion: '1' }],
    [{ champion: '1' }, 'a', 'b', { challenger: '2' }],
    [{ champion: '1', challenger: '2' }, 'b', undefined, { champion: '2', challenger: undefined }],
    [{ champion: '1', other: '2' }, 'a', undefined, {}],
    [{ champion: '1' }, 'not registered yet', undefined, {}],
    [{ champion: '1' }, undefined, undefined, { champion: undefined }],
  ];
  for (const [current, champion, challenger, want] of cases)
    t.same(Object.fromEntries(aliasChanges(current, { champion, challenger }, numbers).map(({ alias, to }) => [alias, to])), want, JSON.stringify([current, champion, challenger]));
});

t.test('where artifacts are taken', async (t) => {
  const base = 'https://mlflow:5000/prefix';
  t.equal(artifactUrl(base, 'mlflow-artifacts:/1/r/artifacts'), `${base}/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts`);
  t.equal(artifactUrl(base, 'mlflow-artifacts://other:9/1/r'), 'https://other:9/api/2.0/mlflow-artifacts/artifacts/1/r');
  t.equal(artifactUrl(base, 'mlflow-artifacts:///1/r'), `${base}/api/2.0/mlflow-artifacts/artifacts/1/r`);
  t.equal(artifactUrl(base, 'https://m/api/2.0/mlflow-artifacts/artifacts/1/r'), 'https://m/api/2.0/mlflow-artifacts/artifacts/1/r');
  for (const elsewhere of ['s3://bucket/1/r', '/mlruns/1/r', 'file:///mlruns', 'https://m/other']) t.equal(artifactUrl(base, elsewhere), undefined, elsewhere);
});

t.test('who asks', async (t) => {
  const about = { MLFLOW_TRACKING_URI: 'http://m', MLFLOW_EXPERIMENT_NAME: 'x', MLFLOW_TRACKING_TOKEN: undefined, MLFLOW_TRACKING_USERNAME: undefined, MLFLOW_TRACKING_PASSWORD: undefined };
  t.same(authorization(about), {});
  t.same(authorization({ ...about, MLFLOW_TRACKING_TOKEN: 'abc' }), { authorization: 'Bearer abc' });
  t.same(authorization({ ...about, MLFLOW_TRACKING_TOKEN: 'abc', MLFLOW_TRACKING_USERNAME: 'u', MLFLOW_TRACKING_PASSWORD: 'ü:' }), { authorization: `Basic ${Buffer.from('u:ü:').toString('base64')}` });
});
