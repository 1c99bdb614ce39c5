import type { FeatureProfile } from '../schemas/events/model.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { TidemarkError } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import { calibrateAll, type Calibration, type CalibrationChoice } from './core/calibration.js';
import type { Importance } from './core/importance.js';
import { profileOf, silentRows } from './core/profile.js';
import { evaluate, type Metrics } from './core/metrics.js';
import type { SelectionMetric } from './core/objective.js';
import { resolveParameters, type GivenParameters } from './core/parameters.js';
import { within, type SnapshotPlan } from './core/plan.js';
import { calibrationError } from './core/reliability.js';
import type { Hyper } from './core/search.js';
import { chooseTestVectors, type TestVectors } from './core/test-vectors.js';
import type { FamilyName } from './families/family.js';
import { calibrationPart } from './onnx/calibration.js';
import { buildModel, joined, OUTPUT_NAME } from './onnx/graph.js';
import { checkOnnx } from './onnx/run.js';
import { classesOf, isEnough, positives, selectRows, type LabelledRows } from './rows.js';
import type { TrainingRun } from './run/run.js';
import { fitFamily, type Fitted } from './select/fit.js';
import { foldRowsOf } from './select/fold-rows.js';
import { select, type FamilyResult, type Selection } from './select/select.js';
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
  readonly run: TrainingRun;
  readonly threads: number;
  readonly families: readonly FamilyName[];
  readonly metric: SelectionMetric;
  /** Of the search, of each family. */
  readonly trials: number;
  /** Rows of the set that cleaning left; default: all. */
  readonly keeps?: (row: number) => boolean;
  /** The seed, and what XGBoost's trials keep. */
  readonly parameters?: Hyper;
}

export interface TrainedModel {
  readonly onnx: Buffer;
  readonly family: FamilyName;
  readonly hyper: Hyper;
  readonly rounds: number;
  readonly seed: number;
  readonly selection_metric: SelectionMetric;
  readonly trials: number;
  readonly calibration: CalibrationChoice;
  readonly families: readonly FamilyResult[];
  readonly xgboost_version: string;
  readonly metrics: Metrics & Readonly<Record<string, number>>;
  readonly data_hash: string;
  readonly plan: SnapshotPlan;
  readonly test_vectors: TestVectors;
  readonly test_outputs: readonly number[];
  readonly train: LabelledRows;
  readonly holdout: LabelledRows;
  /** The model's probabilities of the holdout's rows. */
  readonly scores: Float32Array;
  readonly importances: readonly Importance[];
  /** The reference that drift is measured against. */
  readonly profile: readonly FeatureProfile[];
}

/**
 * Splits by time, chooses family and parameters on the earlier rows, trains on all of them, exports, and measures on the
 * later ones. The same rows, parameters and seed give the same ONNX bytes.
 * @throws TidemarkError TRAINING_DATA_INSUFFICIENT, CONFIG_INVALID, MODEL_CHECK_FAILED
 */
export async function trainModel({ rows, data_hash, plan }: TrainingSet, options: TrainingOptions): Promise<TrainedModel> {
  const { library, view, log, run, threads, keeps = () => true } = options;
  const train = selectRows(rows, (row) => keeps(row) && within(plan.train, rows.at[row]!));
  const holdout = selectRows(rows, (row) => keeps(row) && within(plan.holdout, rows.at[row]!));
  requireEnough('training', train, ROWS_MIN.train);
  requireEnough('holdout', holdout, ROWS_MIN.holdout);
  const { seed, fixed } = parametersOf(options.parameters);
  const context = { library, threads, seed };
  const [selection, fitted] = await run.stage('train', async () => {
    const folds = foldRowsOf(train, plan);
    const chosen = await select(train, folds, { ...options, ...context, fixed, onTrial: (progress) => log.info('train_progress', { what: 'trial', ...progress }) });
    const onRounds = (round: number, most: number): void => log.info('train_progress', { what: 'training', family: chosen.family.name, round, rounds: most });
    return [chosen, await fitFamily(chosen.family, train, chosen, { ...context, onRounds })] as const;
  }, ([chosen]) => ({ family: chosen.family.name, rounds: chosen.rounds, calibration: chosen.calibration.calibration.method }));
  try {
    return await run.stage('evaluate', async () => ({
      family: selection.family.name, hyper: selection.hyper, rounds: selection.rounds, seed, selection_metric: options.metric, trials: options.trials,
      families: selection.results, xgboost_version: library.version, data_hash, plan, train, holdout, importances: fitted.importances,
      ...(await measured(fitted, selection, { train, holdout }, view)),
    }), ({ metrics, onnx }) => ({ onnx_bytes: onnx.length, ...metrics }));
  } finally {
    fitted.free();
  }
}

/** The model's file, held against the library on every held-out row, and its figures there. */
async function measured(fitted: Fitted, { calibration: chosen, results }: Selection, { train, holdout }: { train: LabelledRows; holdout: LabelledRows }, view: FeatureView) {
  const names = view.features.map(({ name }) => name);
  const uncalibrated = await fitted.predict(holdout);
  const calibration = keptCalibration(chosen.calibration, holdout.labels, uncalibrated);
  const onnx = buildModel(view.name, names.length, joined(fitted.part('uncalibrated'), calibrationPart(calibration, 'uncalibrated', OUTPUT_NAME)),
    { feature_names: JSON.stringify(names), family: fitted.family.name, calibration: calibration.method });
  const scores = calibrateAll(calibration, uncalibrated);
  const difference = await checkOnnx(onnx, holdout.values, holdout.rows, names.length, scores);
  const vectors = chooseTestVectors(holdout.values, holdout.rows, names.length);
  return {
    onnx, scores, profile: profileOf(train, holdout, scores), calibration: { ...chosen, calibration }, test_vectors: vectors, test_outputs: Array.from(calibrateAll(calibration, await fitted.predict(vectorRows(vectors, names)))),
    metrics: {
      ...evaluate(holdout.labels, scores),
      calibration_error: calibrationError(holdout.labels, scores),
      calibration_error_before: calibrationError(holdout.labels, uncalibrated),
      ...byMoment(holdout, scores),
      ...prefixed('cv_', results[0]?.metrics),
      onnx_difference_max: difference,
      train_churn_rate: positives(train) / train.rows,
      holdout_churn_rate: positives(holdout) / holdout.rows,
      holdout_rows: holdout.rows,
    },
  };
}

/** The world may have changed since the folds: a calibration that makes the error on the held-out rows larger is left out. */
function keptCalibration(calibration: Calibration, labels: Float32Array, uncalibrated: Float32Array): Calibration {
  const worse = calibrationError(labels, calibrateAll(calibration, uncalibrated)) >= calibrationError(labels, uncalibrated);
  return worse ? { method: 'none' } : calibration;
}

export function parametersOf(given: Hyper | undefined): GivenParameters {
  const resolved = resolveParameters(given);
  if ('problems' in resolved) throw new TidemarkError('CONFIG_INVALID', `training parameters: ${resolved.problems.join('; ')}`);
  return resolved;
}

function requireEnough(what: string, rows: LabelledRows, rows_min: number): void {
  if (isEnough(rows, rows_min, ROWS_MIN.of_each_class)) return;
  const [stayed, churned] = classesOf(rows);
  throw new TidemarkError('TRAINING_DATA_INSUFFICIENT',
    `${what} rows: ${rows.rows}, of which ${churned} churned and ${stayed} did not; expected at least ${rows_min} and ${ROWS_MIN.of_each_class} of each: ` +
    'land events of more customers or of a longer time, or choose another LABEL_HORIZON_DAYS');
}

/** The same ranking figure after events and between them, since both are scored. */
/** Figures after events, at the snapshots between, and at those of customers who had been silent for a day: whom a sweep scores. */
function byMoment(rows: LabelledRows, scores: Float32Array): Record<string, number> {
  const silent = silentRows(rows);
  const of = (keep: (row: number) => boolean): Metrics & { rows: number } => {
    const kept = [...rows.on_event.keys()].filter(keep);
    return { rows: kept.length, ...evaluate(kept.map((row) => rows.labels[row]!), kept.map((row) => scores[row]!)) };
  };
  const [onEvent, snapshot, inSilence] = [of((row) => rows.on_event[row] === 1), of((row) => rows.on_event[row] === 0), of(silent)];
  return {
    auc_on_event: onEvent.auc, auc_snapshot: snapshot.auc, log_loss_on_event: onEvent.log_loss, log_loss_in_silence: inSilence.log_loss, brier_on_event: onEvent.brier, brier_in_silence: inSilence.brier,
    holdout_rows_on_event: onEvent.rows, holdout_rows_in_silence: inSilence.rows,
  };
}

const prefixed = (prefix: string, metrics: Metrics | undefined): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics ?? {}).map(([name, value]) => [prefix + name, value as number]));

function vectorRows({ inputs }: TestVectors, feature_names: readonly string[]): LabelledRows {
  const rows = inputs.length;
  return {
    feature_names, rows, values: Float32Array.from(inputs.flat(), (value) => value ?? NaN),
    labels: new Float32Array(rows), at: new Float64Array(rows), on_event: new Uint8Array(rows), customer: new Uint32Array(rows),
  };
}
