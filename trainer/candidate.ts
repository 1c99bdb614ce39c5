import type { ModelStage } from '../schemas/events/model.js';
import { customerActivity } from '../schemas/features/customer-activity.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { TENURE_FEATURE, tenureSegment } from '../schemas/segments.js';
import type { Progress } from '../runtime/embedded/maven.js';
import { messageOf } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import type { Settings } from '../runtime/settings.js';
import type { CalibrationChoice } from './core/calibration.js';
import type { CleaningCount } from './core/cleaning.js';
import { failures, inWords, type ExpectationResult } from './core/expectations.js';
import type { Importance } from './core/importance.js';
import { reliability, type ReliabilityPoint } from './core/reliability.js';
import { storeDataset } from './artifacts/store.js';
import { prepareRows } from './dataset/prepare.js';
import type { Dataset, History } from './dataset/read.js';
import { manifestOf, type ManifestDraft } from './manifest.js';
import type { LabelledRows } from './rows.js';
import { startRun, type TrainingRun } from './run/run.js';
import { clickHouseRunStore } from './run/store.js';
import type { FamilyResult } from './select/select.js';
import { trainModel } from './train.js';
import { loadXgboost } from './xgboost/library.js';

export interface CandidateOptions {
  readonly view?: FeatureView;
  /** Stage of the manifest; default: candidate. */
  readonly stage?: ModelStage;
  /** Instead of the defaults: names and bounds in core/parameters.ts. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** The same training done again after a crash has the same id; default: one of its own by the clock. */
  readonly run_id?: string;
  readonly retrain_event_id?: string;
  /** False: the training set is not stored; the manifest has no dataset_id then. */
  readonly store?: boolean;
  /** Told while XGBoost's library is fetched. */
  readonly progress?: Progress;
}

/** Rows that the model never saw, later than all it was trained on, with matured labels. */
export interface HeldOut {
  /** rows.customer counts in customer_ids. */
  readonly rows: LabelledRows;
  readonly customer_ids: readonly string[];
  /** The candidate's probabilities, by the library that trained it. */
  readonly scores: Float32Array;
  /** Of each row: `tenure=0-30`; empty where the view has no tenure. */
  readonly segments: readonly string[];
}

/** What a model card tells beside the manifest. */
export interface CardFacts {
  readonly importances: readonly Importance[];
  /** On the held-out rows. */
  readonly calibration_points: readonly ReliabilityPoint[];
  /** How calibration was chosen, on predictions that it was not fitted on. */
  readonly calibration: CalibrationChoice;
  /** What each family came to in cross-validation, the chosen one first. */
  readonly families: readonly FamilyResult[];
  /** Of the data, all of them: what was expected, what was found. */
  readonly expectations: readonly ExpectationResult[];
  /** What was left out, by rule. */
  readonly cleaning: readonly CleaningCount[];
}

export interface Candidate {
  /** To go on with: its further stages (compare, deploy), and its end. */
  readonly run: TrainingRun;
  readonly manifest: ManifestDraft;
  readonly onnx: Buffer;
  readonly history: History;
  /** All rows, those trained on and those held out. */
  readonly dataset: Dataset;
  readonly holdout: HeldOut;
  readonly facts: CardFacts;
}

/**
 * One training up to a model that was measured and checked, not published: fetch, validate, clean, features, train, evaluate.
 * @throws TidemarkError TRAINING_DATA_INSUFFICIENT, TRAINING_DATA_INVALID, MODEL_CHECK_FAILED, CONFIG_INVALID, REQUIREMENT_MISSING, CLICKHOUSE_*, …
 */
export async function trainCandidate(settings: Settings, log: Log, options: CandidateOptions = {}): Promise<Candidate> {
  const { view = customerActivity, retrain_event_id = '' } = options;
  const created_at = Date.now();
  const run_id = options.run_id ?? `manual-${new Date(created_at).toISOString().replace(/[-:.]/g, '')}`;
  const run = startRun(run_id, log, clickHouseRunStore(settings, { run_id, retrain_event_id, started_at: created_at }));
  try {
    return await candidateOf({ settings, log, run, view, created_at, retrain_event_id }, options);
  } catch (error) {
    await run.note('failed', { error: messageOf(error) }).catch(() => undefined);
    throw error;
  }
}

interface Training {
  readonly settings: Settings;
  readonly log: Log;
  readonly run: TrainingRun;
  readonly view: FeatureView;
  readonly created_at: number;
  readonly retrain_event_id: string;
}

async function candidateOf({ settings, log, run, view, created_at, retrain_event_id }: Training, options: CandidateOptions): Promise<Candidate> {
  await run.note('running');
  const library = await run.stage('library', () => loadXgboost(settings, options.progress), ({ version }) => ({ xgboost: version }));
  const { history, dataset, expectations, cleaning, keeps } = await prepareRows({ settings, view }, run);
  const model = await trainModel(dataset, {
    library, view, log, run, threads: settings.TRAIN_THREADS, families: settings.TRAIN_FAMILIES, metric: settings.TRAIN_METRIC, trials: settings.TRAIN_SEARCH_TRIALS, keeps,
    ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
  });
  const { dataset_id } = options.store === false ? { dataset_id: '' } : await run.stage('store', () => storeDataset(settings, view, dataset), (stored) => ({ ...stored }));
  const manifest = manifestOf(model, { name: settings.MODEL_NAME, view, stage: options.stage ?? 'candidate', created_at, retrain_event_id, dataset_id });
  const { families, calibration } = model;
  await run.note('trained', {
    version: manifest.version, family: manifest.family, data_hash: manifest.data_hash, dataset_id, data_rows: manifest.data_rows, metrics: manifest.metrics, families, calibration, cleaning,
    parameters: manifest.parameters, warnings: failures(expectations, 'warning').map(inWords),
  });
  return {
    run, manifest, onnx: model.onnx, history, dataset,
    holdout: { rows: model.holdout, customer_ids: dataset.customer_ids, scores: model.scores, segments: segmentsOf(model.holdout) },
    facts: { importances: model.importances, calibration_points: reliability(model.holdout.labels, model.scores), calibration, families, expectations, cleaning },
  };
}

function segmentsOf({ feature_names, rows, values }: LabelledRows): string[] {
  const tenure = feature_names.indexOf(TENURE_FEATURE);
  return Array.from({ length: rows }, (_, row) => (tenure < 0 ? '' : tenureSegment(values[row * feature_names.length + tenure]!)));
}
