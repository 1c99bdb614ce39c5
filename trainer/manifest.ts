import { MANIFEST_DEFAULTS, type ModelManifest, type ModelStage } from '../schemas/events/model.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { sha256Of } from '../runtime/models/assemble.js';
import { ORT_VERSION } from '../runtime/onnxruntime.js';
import type { SizedFields } from '../runtime/models/publish.js';
import type { TrainedModel } from './train.js';

/** A manifest before its bytes are counted. */
export type ManifestDraft = Omit<ModelManifest, SizedFields>;

/** Sortable by age: `20260115T093000Z-1a2b3c4d`. */
export function versionOf(created_at: number, onnx: Uint8Array): string {
  return `${new Date(created_at).toISOString().replace(/[-:]|\.\d+/g, '')}-${sha256Of(onnx).slice(0, 8)}`;
}

/** What is published beside the bytes. Metrics without a value (one class only) are left out. */
export function manifestOf(model: TrainedModel, about: { name: string; view: FeatureView; stage: ModelStage; created_at: number; retrain_event_id: string; dataset_id: string }): ManifestDraft {
  const { plan } = model;
  return {
    model: about.name,
    version: versionOf(about.created_at, model.onnx),
    stage: about.stage,
    family: model.family,
    view: about.view.name,
    view_version: about.view.version,
    features: about.view.features.map(({ name }) => name),
    created_at: about.created_at,
    metrics: Object.fromEntries(Object.entries(model.metrics).filter(([, value]) => Number.isFinite(value))),
    parameters: Object.fromEntries(Object.entries({
      ...model.hyper,
      rounds: model.rounds,
      seed: model.seed,
      calibration: model.calibration.calibration.method,
      selection_metric: model.selection_metric,
      search_trials: model.trials,
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
    data_rows: model.train.rows,
    test_inputs: model.test_vectors.inputs,
    test_outputs: [...model.test_outputs],
    ...MANIFEST_DEFAULTS,
    profile: [...model.profile],
    retrain_event_id: about.retrain_event_id,
    dataset_id: about.dataset_id,
  };
}
