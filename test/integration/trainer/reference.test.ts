import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { loadSettings } from '../../../runtime/settings.js';
import { customerActivity } from '../../../schemas/features/customer-activity.js';
import { snapshotSpine } from '../../../schemas/features/sql/spine.js';
import { evaluate, type Metrics } from '../../../trainer/core/metrics.js';
import { resolveParameters, type TrainingParameters } from '../../../trainer/core/parameters.js';
import { fit } from '../../../trainer/fit.js';
import { readDataset } from '../../../trainer/dataset/read.js';
import { positives, selectRows, type LabelledRows } from '../../../trainer/rows.js';
import { trainModel } from '../../../trainer/train.js';
import { loadXgboost } from '../../../trainer/xgboost/library.js';
import { startCluster, TEST_JARS_DIR, testLog } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import type { HistoryRecord } from '../../support/history.js';
import { sharedData } from '../../support/shared-data.js';

/**
 * Features of a real history at monthly snapshots, and what Python's XGBoost 3.2 and scikit-learn 1.9 made of them
 * (baselines.json): the same rows and parameters must give a model as good here.
 */
t.setTimeout(400_000);
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

  const eventsFolder = sharedData('events')!;
  t.test('the view’s own features of the same history, from the landed events, are as good', async (t) => {
    const { settings } = await startCluster(t, { clickhouse: true, settings: { LABEL_HORIZON_DAYS: '90' } });
    const client = createClickHouse(settings);
    t.teardown(() => client.close());
    await migrate(client, settings);
    await insertEvents(client, readEvents(join(eventsFolder, 'cdnow-events.csv')));
    // The reference takes what stands before a snapshot, and labels from the snapshot on: the view's clock is the millisecond before.
    const snapshots = Array.from({ length: 13 }, (_, i) => Date.UTC(1997, 3 + i) - 1);
    const plan = {
      train: { after: snapshots[0]! - 1, to: snapshots[6]! }, holdout: { after: snapshots[8]!, to: snapshots[12]! },
      inner: { train: { after: snapshots[0]! - 1, to: snapshots[2]! }, holdout: { after: snapshots[4]!, to: snapshots[6]! } },
      step_ms: 30 * 86_400_000, horizon_ms: 90 * 86_400_000,
    };
    const set = await readDataset({ client, settings, view: customerActivity, spine: snapshotSpine('events', snapshots) }, plan);
    t.equal(set.rows.rows, rows.rows, 'as many rows as the reference');
    t.equal(positives(set.rows), positives(rows), 'as many churned');
    const { metrics } = await trainModel(set, { library, view: customerActivity, log: testLog, threads: 2 });
    t.comment(JSON.stringify(metrics));
    t.equal(metrics['holdout_rows'], test.rows);
    t.ok(metrics.auc > reference.auc - 0.005, `AUC ${metrics.auc}, reference ${reference.auc}`);
    t.ok(metrics.log_loss < reference.log_loss + 0.001, `log loss ${metrics.log_loss}, reference ${reference.log_loss}`);
  });
}

function readEvents(file: string): HistoryRecord[] {
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(','));
  const field = (line: readonly string[], name: string): string => line[head!.indexOf(name)]!;
  return lines.map((line, i) => ({
    event_id: field(line, 'event_id'), customer_id: field(line, 'customer_id'), event_type: 'purchase', amount: Number(field(line, 'amount')),
    quantity: Number(field(line, 'quantity')), event_time: Number(field(line, 'event_time_ms')), kafka_partition: 0, kafka_offset: i,
  }));
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
