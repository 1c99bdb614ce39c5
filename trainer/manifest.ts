import { MANIFEST_DEFAULTS, type ModelManifest, type ModelStage } from '../schemas/events/model.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { sha256Of } from '../runtime/models/assemble.js';
import { ORT_VERSION } from '../runtime/onnxruntime.js';
import type { SizedFields } from '../runtime/models/publish.js';
import type { Metrics } from './core/metrics.js';
import type { TrainingParameters } from './core/parameters.js';
import type { SnapshotPlan } from './core/plan.js';
import type { Importance } from './core/importance.js';
import type { TestVectors } from './core/test-vectors.js';
import type { LabelledRows } from './rows.js';

export interface TrainedModel {
  readonly onnx: Buffer;
  readonly parameters: TrainingParameters;
  readonly rounds: number;
  readonly depth: number;
  readonly xgboost_version: string;
  readonly metrics: Metrics & Readonly<Record<string, number>>;
  readonly data_hash: string;
  readonly data_rows: number;
  readonly plan: SnapshotPlan;
  readonly test_vectors: TestVectors;
  readonly test_outputs: readonly number[];
  readonly holdout: LabelledRows;
  /** The model's probabilities of the holdout's rows. */
  readonly scores: Float32Array;
  readonly importances: readonly Importance[];
}

/** A manifest before its bytes are counted. */
export type ManifestDraft = Omit<ModelManifest, SizedFields>;

/** Sortable by age: `20260115T093000Z-1a2b3c4d`. */
export function versionOf(created_at: number, onnx: Uint8Array): string {
  return `${new Date(created_at).toISOString().replace(/[-:]|\.\d+/g, '')}-${sha256Of(onnx).slice(0, 8)}`;
}

/** What is published beside the bytes. Metrics without a value (one class only) are left out. */
export function manifestOf(model: TrainedModel, about: { name: string; view: FeatureView; stage: ModelStage; created_at: number; retrain_event_id?: string; dataset_id?: string }): ManifestDraft {
  const { plan, parameters } = model;
  return {
    model: about.name,
    version: versionOf(about.created_at, model.onnx),
    stage: about.stage,
    family: 'xgboost',
    view: about.view.name,
    view_version: about.view.version,
    features: about.view.features.map(({ name }) => name),
    created_at: about.created_at,
    metrics: Object.fromEntries(Object.entries(model.metrics).filter(([, value]) => Number.isFinite(value))),
    parameters: Object.fromEntries(Object.entries({
      ...parameters.booster,
      max_depth: model.depth,
      rounds: model.rounds,
      rounds_max: parameters.rounds_max,
      early_stopping_rounds: parameters.early_stopping_rounds,
      seed: parameters.seed,
      horizon_days: plan.horizon_ms / 86_400_000,
      snapshot_step_days: plan.step_ms / 86_400_000,
      holdout_from: new Date(plan.holdout.after).toISOString(),
      holdout_to: new Date(plan.holdout.to).toISOString(),
      xgboost: model.xgboost_version,
      onnxruntime: ORT_VERSION,
      platform: `node ${process.versions.node} ${process.platform}-${process.arch}`,
    }).map(([name, value]) => [name, String(value)])),
    data_hash: model.data_hash,
    data_from: plan.train.after,
    data_to: plan.train.to,
    data_rows: model.data_rows,
    test_inputs: model.test_vectors.inputs,
    test_outputs: [...model.test_outputs],
    ...MANIFEST_DEFAULTS,
    retrain_event_id: about.retrain_event_id ?? '',
    dataset_id: about.dataset_id ?? '',
  };
}
