import type { ModelStage } from '../schemas/events/model.js';
import { customerActivity } from '../schemas/features/customer-activity.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { TENURE_FEATURE, tenureSegment } from '../schemas/segments.js';
import { createClickHouse } from '../runtime/clickhouse.js';
import type { Progress } from '../runtime/embedded/maven.js';
import type { Log } from '../runtime/log.js';
import type { Settings } from '../runtime/settings.js';
import type { CalibrationChoice } from './core/calibration.js';
import type { Importance } from './core/importance.js';
import { reliability, type ReliabilityPoint } from './core/reliability.js';
import { storeDataset } from './artifacts/store.js';
import { planFor, readDataset, readHistory, type Dataset, type DatasetOptions, type History } from './dataset/read.js';
import { manifestOf, type ManifestDraft } from './manifest.js';
import type { LabelledRows } from './rows.js';
import { loggedRun, type TrainingRun } from './run/run.js';
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
 * @throws TidemarkError TRAINING_DATA_INSUFFICIENT, MODEL_CHECK_FAILED, CONFIG_INVALID, REQUIREMENT_MISSING, CLICKHOUSE_*, …
 */
export async function trainCandidate(settings: Settings, log: Log, options: CandidateOptions = {}): Promise<Candidate> {
  const { view = customerActivity, retrain_event_id = '' } = options;
  const created_at = Date.now();
  const run = loggedRun(options.run_id ?? `manual-${new Date(created_at).toISOString().replace(/[-:.]/g, '')}`, log);
  const library = await run.stage('library', () => loadXgboost(settings, options.progress), ({ version }) => ({ xgboost: version }));
  const { history, dataset } = await readTrainingSet({ settings, view }, run);
  const { parameters } = options;
  const model = await trainModel(dataset, {
    library, view, log, run, threads: settings.TRAIN_THREADS, families: settings.TRAIN_FAMILIES, metric: settings.TRAIN_METRIC, trials: settings.TRAIN_SEARCH_TRIALS,
    ...(parameters === undefined ? {} : { parameters }),
  });
  const { dataset_id } = options.store === false ? { dataset_id: '' } : await run.stage('store', () => storeDataset(settings, view, dataset), (stored) => ({ ...stored }));
  const manifest = manifestOf(model, { name: settings.MODEL_NAME, view, stage: options.stage ?? 'candidate', created_at, retrain_event_id, dataset_id });
  return {
    run, manifest, onnx: model.onnx, history, dataset,
    holdout: { rows: model.holdout, customer_ids: dataset.customer_ids, scores: model.scores, segments: segmentsOf(model.holdout) },
    facts: { importances: model.importances, calibration_points: reliability(model.holdout.labels, model.scores), calibration: model.calibration, families: model.families },
  };
}

async function readTrainingSet(about: Omit<DatasetOptions, 'client'>, run: TrainingRun): Promise<{ history: History; dataset: Dataset }> {
  const client = createClickHouse(about.settings, { requestTimeoutMs: 600_000 });
  try {
    const history = await run.stage('history', () => readHistory({ ...about, client }), (found) => ({ ...found }));
    const plan = planFor(history, about.settings);
    const dataset = await run.stage('rows', () => readDataset({ ...about, client }, plan), ({ rows, data_hash, sampling }) => ({ rows: rows.rows, data_hash, ...sampling }));
    return { history, dataset };
  } finally {
    await client.close();
  }
}

function segmentsOf({ feature_names, rows, values }: LabelledRows): string[] {
  const tenure = feature_names.indexOf(TENURE_FEATURE);
  return Array.from({ length: rows }, (_, row) => (tenure < 0 ? '' : tenureSegment(values[row * feature_names.length + tenure]!)));
}
