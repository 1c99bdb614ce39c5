import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { loadSettings } from '../../../runtime/settings.js';
import { evaluate, type Metrics } from '../../../trainer/core/metrics.js';
import { resolveParameters, type TrainingParameters } from '../../../trainer/core/parameters.js';
import { fit } from '../../../trainer/fit.js';
import { selectRows, type LabelledRows } from '../../../trainer/rows.js';
import { loadXgboost } from '../../../trainer/xgboost/library.js';
import { TEST_JARS_DIR } from '../../support/cluster.js';
import { sharedData } from '../../support/shared-data.js';

/**
 * Features of a real history at monthly snapshots, and what Python's XGBoost 3.2 and scikit-learn 1.9 made of them
 * (baselines.json): the same rows and parameters must give a model as good here.
 */
const folder = sharedData('baselines');
if (folder === undefined) t.test('reference figures', { skip: 'no reference data on this machine' }, async () => {});
else {
  const rows = readReference(join(folder, 'features.csv.gz'));
  const { results } = JSON.parse(readFileSync(join(folder, 'baselines.json'), 'utf8')) as { results: Record<string, { metrics: Record<string, { auc: number; pr_auc_churn: number; log_loss: number; brier: number }> }> };
  const reference = results['train_dev__test_dev']!.metrics['xgboost']!;
  const library = await loadXgboost(loadSettings({ JARS_DIR: TEST_JARS_DIR }));
  const before = (year: number, month: number) => (row: number): boolean => rows.at[row]! <= Date.UTC(year, month);
  const train = selectRows(rows, before(1997, 9));
  const test = selectRows(rows, (row) => rows.at[row]! >= Date.UTC(1998, 0));
  const inner = {
    train: selectRows(rows, before(1997, 5)),
    holdout: selectRows(rows, (row) => rows.at[row]! >= Date.UTC(1997, 8) && rows.at[row]! <= Date.UTC(1997, 9)),
  };
  const metricsOf = async (given: Record<string, number>, split: typeof inner | undefined): Promise<Metrics> => {
    const parameters = resolveParameters(train.rows, given) as TrainingParameters;
    const fitted = await fit(train, split, { library, parameters, threads: 2 });
    const metrics = evaluate(test.labels, await fitted.predict(test));
    fitted.free();
    return metrics;
  };

  t.test('the reference’s parameters give the reference’s figures', async (t) => {
    const got = await metricsOf({ max_depth: 2, rounds_max: 100, learning_rate: 0.05, min_child_weight: 50, subsample: 0.8, colsample_bytree: 0.8 }, undefined);
    t.comment(JSON.stringify({ got, reference }));
    t.ok(Math.abs(got.auc - reference.auc) < 0.003, `AUC ${got.auc}, reference ${reference.auc}`);
    t.ok(Math.abs(got.pr_auc - reference.pr_auc_churn) < 0.003, `PR-AUC ${got.pr_auc}, reference ${reference.pr_auc_churn}`);
    t.ok(Math.abs(got.log_loss - reference.log_loss) < 0.002, `log loss ${got.log_loss}, reference ${reference.log_loss}`);
    t.ok(Math.abs(got.brier - reference.brier) < 0.001, `Brier ${got.brier}, reference ${reference.brier}`);
  });

  t.test('the defaults with early stopping are as good', async (t) => {
    const got = await metricsOf({}, inner);
    t.comment(JSON.stringify(got));
    t.ok(got.auc > reference.auc - 0.003, `AUC ${got.auc}, reference ${reference.auc}`);
    t.ok(got.log_loss < reference.log_loss + 0.001, `log loss ${got.log_loss}, reference ${reference.log_loss}`);
  });
}

function readReference(file: string): LabelledRows {
  const [head, ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n').map((line) => line.split(','));
  const column = (name: string): number => head!.indexOf(name);
  const first = column('purchases_7d');
  const feature_names = head!.slice(first, column('purchases_total') + 1);
  const values = new Float32Array(lines.length * feature_names.length);
  lines.forEach((line, row) => feature_names.forEach((_, i) => { values[row * feature_names.length + i] = line[first + i] === '' ? NaN : Number(line[first + i]); }));
  return {
    feature_names, rows: lines.length, values,
    labels: Float32Array.from(lines, (line) => Number(line[column('churn')])),
    at: Float64Array.from(lines, (line) => Number(line[column('snapshot_ms')])),
    on_event: new Uint8Array(lines.length),
    customer: new Uint32Array(lines.length),
  };
}
