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
import { calibrateAll } from '../../../trainer/core/calibration.js';
import { within, type SnapshotPlan } from '../../../trainer/core/plan.js';
import { readDataset } from '../../../trainer/dataset/read.js';
import { FAMILIES } from '../../../trainer/families/family.js';
import { xgboost } from '../../../trainer/families/xgboost.js';
import { fitFamily } from '../../../trainer/select/fit.js';
import { foldRowsOf } from '../../../trainer/select/fold-rows.js';
import { select } from '../../../trainer/select/select.js';
import { startRun } from '../../../trainer/run/run.js';
import { positives, selectRows, type LabelledRows } from '../../../trainer/rows.js';
import { trainModel } from '../../../trainer/train.js';
import { loadXgboost } from '../../../trainer/xgboost/library.js';
import { startCluster, TEST_JARS_DIR, testLog } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import type { HistoryRecord } from '../../support/history.js';
import { sharedData } from '../../support/shared-data.js';

/**
 * Features of a real history at monthly snapshots, and what Python's XGBoost 3.2, scikit-learn 1.9 and lifetimes made of them
 * (baselines.json): each family, chosen and trained here on the same rows, must be as good as its counterpart there.
 */
t.setTimeout(400_000);
const folder = sharedData('baselines');
if (folder === undefined) t.test('reference figures', { skip: 'no reference data on this machine' }, async () => {});
else {
  interface Figures { auc: number; pr_auc_churn: number; log_loss: number; brier: number }
  const rows = readReference(join(folder, 'features.csv.gz'));
  const { results } = JSON.parse(readFileSync(join(folder, 'baselines.json'), 'utf8')) as { results: Record<string, { metrics: Record<string, Figures> }> };
  const references = results['train_dev__test_dev']!.metrics;
  const library = await loadXgboost(loadSettings({ JARS_DIR: TEST_JARS_DIR }));
  const context = { library, threads: 2, seed: 7 };
  // What stands before a snapshot, labelled from the snapshot on: the clock is the millisecond before.
  const snapshots = Array.from({ length: 13 }, (_, i) => Date.UTC(1997, 3 + i) - 1);
  const plan: SnapshotPlan = {
    train: { after: snapshots[0]! - 1, to: snapshots[6]! }, holdout: { after: snapshots[8]!, to: snapshots[12]! }, step_ms: 30 * 86_400_000, horizon_ms: 90 * 86_400_000,
  };
  const train = selectRows(rows, (row) => within(plan.train, rows.at[row]!));
  const test = selectRows(rows, (row) => within(plan.holdout, rows.at[row]!));
  const show = (figures: Figures | Metrics): string => `AUC ${figures.auc.toFixed(4)}  PR-AUC ${('pr_auc' in figures ? figures.pr_auc : figures.pr_auc_churn).toFixed(4)}  log loss ${figures.log_loss.toFixed(4)}  Brier ${figures.brier.toFixed(4)}`;

  t.test('the reference’s parameters give the reference’s figures', async (t) => {
    const hyper = { rounds_max: 100, early_stopping_rounds: 1, max_depth: 2, learning_rate: 0.05, min_child_weight: 50, subsample: 0.8, colsample_bytree: 0.8 };
    const fitted = await fitFamily(xgboost, train, { hyper, rounds: 100 }, context);
    const got = evaluate(test.labels, await fitted.predict(test));
    fitted.free();
    const reference = references['xgboost']!;
    t.comment(`reference ${show(reference)}`);
    t.comment(`here      ${show(got)}`);
    t.ok(Math.abs(got.auc - reference.auc) < 0.003, `AUC ${got.auc}, reference ${reference.auc}`);
    t.ok(Math.abs(got.pr_auc - reference.pr_auc_churn) < 0.003, `PR-AUC ${got.pr_auc}, reference ${reference.pr_auc_churn}`);
    t.ok(Math.abs(got.log_loss - reference.log_loss) < 0.002, `log loss ${got.log_loss}, reference ${reference.log_loss}`);
    t.ok(Math.abs(got.brier - reference.brier) < 0.001, `Brier ${got.brier}, reference ${reference.brier}`);
  });

  for (const name of FAMILIES)
    t.test(`${name}, chosen by cross-validation`, async (t) => {
      const chosen = await select(train, foldRowsOf(train, plan), { ...context, families: [name], metric: 'log_loss', trials: 3, fixed: {} });
      const fitted = await fitFamily(chosen.family, train, chosen, context);
      const got = evaluate(test.labels, calibrateAll(chosen.calibration.calibration, await fitted.predict(test)));
      fitted.free();
      const [reference, bgnbd] = [references[name]!, references['bgnbd']!];
      t.comment(`reference ${show(reference)}`);
      t.comment(`here      ${show(got)}  ${JSON.stringify(chosen.hyper)}  calibration: ${chosen.calibration.calibration.method}`);
      t.comment(`BG/NBD    ${show(bgnbd)}`);
      t.ok(got.log_loss <= reference.log_loss && got.brier <= reference.brier, 'log loss and Brier reach the reference');
      t.ok(got.auc >= reference.auc && got.pr_auc >= reference.pr_auc_churn, 'AUC and PR-AUC reach the reference');
      t.ok(got.auc > bgnbd.auc && got.pr_auc > bgnbd.pr_auc_churn && got.log_loss < bgnbd.log_loss && got.brier <= bgnbd.brier, 'better than BG/NBD in everything');
    });

  const eventsFolder = sharedData('events')!;
  t.test('the view’s own features of the same history, from the landed events, are as good', async (t) => {
    const { settings } = await startCluster(t, { clickhouse: true, settings: { LABEL_HORIZON_DAYS: '90' } });
    const client = createClickHouse(settings);
    t.teardown(() => client.close());
    await migrate(client, settings);
    await insertEvents(client, readEvents(join(eventsFolder, 'cdnow-events.csv')));
    const set = await readDataset({ client, settings, view: customerActivity, spine: snapshotSpine('events', snapshots) }, plan);
    t.equal(set.rows.rows, rows.rows, 'as many rows as the reference');
    t.equal(positives(set.rows), positives(rows), 'as many churned');
    const { metrics, family } = await trainModel(set, { library, view: customerActivity, log: testLog, run: startRun('test', testLog), threads: 2, families: FAMILIES, metric: 'log_loss', trials: 1 });
    t.equal(metrics['holdout_rows'], test.rows);
    t.comment(`${family.padEnd(19)} ${show(metrics)}`);
    for (const name of [...FAMILIES, 'bgnbd']) t.comment(`${name.padEnd(19)} ${show(references[name]!)}  (reference)`);
    for (const name of [...FAMILIES, 'bgnbd']) t.ok(metrics.log_loss <= references[name]!.log_loss && metrics.auc > references[name]!.auc - 0.002, `as good as the reference's ${name}`);
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
    at: Float64Array.from(lines, (line) => Number(line[column('snapshot_ms')]) - 1),
    on_event: new Uint8Array(lines.length),
    customer: Uint32Array.from(lines, (line) => Number(line[column('customer_id')]!.replace(/\D/g, ''))),
  };
}
