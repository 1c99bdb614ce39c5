import type { FeatureView } from '../schemas/features/declaration.js';
import { TidemarkError } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import { sharesOf } from './core/importance.js';
import { evaluate } from './core/metrics.js';
import { resolveParameters, type TrainingParameters } from './core/parameters.js';
import { within, type SnapshotPlan } from './core/plan.js';
import { chooseTestVectors, type TestVectors } from './core/test-vectors.js';
import { gainsOf } from './core/tree-ensemble.js';
import { calibrationError } from './core/reliability.js';
import { fit, type Fitted, type InnerSplit } from './fit.js';
import type { TrainedModel } from './manifest.js';
import { checkOnnx } from './onnx/run.js';
import { onnxFromXgboost } from './onnx/from-xgboost.js';
import { positives, selectRows, type LabelledRows } from './rows.js';
import { stage } from './stage.js';
import type { Xgboost } from './xgboost/capi.js';

/** Fewer say nothing about a model. */
const ROWS_MIN = { train: 200, holdout: 50, of_each_class: 20 };

export interface TrainingSet {
  readonly rows: LabelledRows;
  readonly data_hash: string;
  readonly plan: SnapshotPlan;
}

export interface TrainingOptions {
  readonly library: Xgboost;
  readonly view: FeatureView;
  readonly log: Log;
  readonly threads: number;
  readonly parameters?: Readonly<Record<string, number>>;
}

/**
 * Splits by time, trains, exports and checks. The same rows, parameters and seed give the same ONNX bytes.
 * @throws TidemarkError TRAINING_DATA_INSUFFICIENT, CONFIG_INVALID, MODEL_CHECK_FAILED
 */
export async function trainModel({ rows, data_hash, plan }: TrainingSet, options: TrainingOptions): Promise<TrainedModel> {
  const { library, view, log, threads } = options;
  const train = selectRows(rows, (row) => within(plan.train, rows.at[row]!));
  const holdout = selectRows(rows, (row) => within(plan.holdout, rows.at[row]!));
  requireEnough('training', train, ROWS_MIN.train);
  requireEnough('holdout', holdout, ROWS_MIN.holdout);
  const parameters = parametersFor(train.rows, options.parameters);
  const fitted = await stage(log, 'train', () =>
    fit(train, innerSplit(train, plan), { library, parameters, threads, onProgress: (what, round, rounds) => log.info('train_progress', { what, round, rounds }) }));
  try {
    const names = view.features.map(({ name }) => name);
    const [onnx, expected] = await stage(log, 'export', async () => [onnxFromXgboost(fitted.model, names, view.name), await fitted.predict(holdout)] as const);
    const difference = await stage(log, 'check', () => checkOnnx(onnx, holdout.values, holdout.rows, names.length, expected));
    const vectors = chooseTestVectors(holdout.values, holdout.rows, names.length);
    return {
      onnx, parameters, rounds: fitted.rounds, depth: fitted.depth, xgboost_version: library.version, data_hash, data_rows: train.rows, plan,
      metrics: {
        ...evaluate(holdout.labels, expected),
        calibration_error: calibrationError(holdout.labels, expected),
        ...byMoment(holdout, expected),
        inner_log_loss: fitted.inner_log_loss,
        onnx_difference_max: difference,
        train_churn_rate: positives(train) / train.rows,
        holdout_churn_rate: positives(holdout) / holdout.rows,
        holdout_rows: holdout.rows,
      },
      holdout, scores: expected, importances: sharesOf(names, gainsOf(fitted.model)),
      test_vectors: vectors,
      test_outputs: await outputsOf(fitted, vectors, names),
    };
  } finally {
    fitted.free();
  }
}

function parametersFor(rows: number, given: Readonly<Record<string, number>> | undefined): TrainingParameters {
  const resolved = resolveParameters(rows, given);
  if ('problems' in resolved) throw new TidemarkError('CONFIG_INVALID', `training parameters: ${resolved.problems.join('; ')}`);
  return resolved;
}

/** Undefined where a side of the split would be too small to choose by. */
function innerSplit(train: LabelledRows, { inner }: SnapshotPlan): InnerSplit | undefined {
  if (inner === undefined) return undefined;
  const split = {
    train: selectRows(train, (row) => within(inner.train, train.at[row]!)),
    holdout: selectRows(train, (row) => within(inner.holdout, train.at[row]!)),
  };
  return [split.train, split.holdout].every((side) => isEnough(side, ROWS_MIN.train)) ? split : undefined;
}

const classesOf = (rows: LabelledRows): [stayed: number, churned: number] => [rows.rows - positives(rows), positives(rows)];
const isEnough = (rows: LabelledRows, rowsMin: number): boolean => rows.rows >= rowsMin && Math.min(...classesOf(rows)) >= ROWS_MIN.of_each_class;

function requireEnough(what: string, rows: LabelledRows, rowsMin: number): void {
  if (isEnough(rows, rowsMin)) return;
  const [stayed, churned] = classesOf(rows);
  throw new TidemarkError('TRAINING_DATA_INSUFFICIENT',
    `${what} rows: ${rows.rows}, of which ${churned} churned and ${stayed} did not; expected at least ${rowsMin} and ${ROWS_MIN.of_each_class} of each: ` +
    'land events of more customers or of a longer time, or choose another LABEL_HORIZON_DAYS');
}

/** The same ranking figure after events and between them, since both are scored. */
function byMoment(rows: LabelledRows, scores: Float32Array): Record<string, number> {
  const part = (on_event: number): number => {
    const kept = [...rows.on_event.keys()].filter((row) => rows.on_event[row] === on_event);
    return evaluate(kept.map((row) => rows.labels[row]!), kept.map((row) => scores[row]!)).auc;
  };
  return { auc_on_event: part(1), auc_snapshot: part(0) };
}

async function outputsOf(fitted: Fitted, { inputs }: TestVectors, feature_names: readonly string[]): Promise<number[]> {
  const values = Float32Array.from(inputs.flat(), (value) => value ?? NaN);
  const rows = inputs.length;
  return Array.from(await fitted.predict({
    feature_names, rows, values, labels: new Float32Array(rows), at: new Float64Array(rows), on_event: new Uint8Array(rows), customer: new Uint32Array(rows),
  }));
}
