import { sha256Of } from '../../runtime/models/assemble.js';
import { MANIFEST_DEFAULTS, type ModelManifest } from '../../schemas/events/model.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { onnxFromXgboost } from '../../trainer/onnx/from-xgboost.js';

/** A stump as XGBoost writes it: below `at` the first weight, else the second, missing goes first. */
export interface Stump {
  readonly feature: number;
  readonly at: number;
  readonly weights: readonly [number, number];
  /** Training rows that went each way, in units of hessian. */
  readonly cover: readonly [number, number];
}

export interface StumpModel {
  readonly manifest: ModelManifest;
  readonly onnx: Buffer;
  /** The log-odds of a row. */
  margin(row: readonly number[]): number;
}

/** A version of a model of stumps, by the trainer's own export. */
export function stumpModel(view: FeatureView, version: string, stumps: readonly Stump[], changes: Partial<ModelManifest> = {}): StumpModel {
  const names = featureNames(view);
  const onnx = onnxFromXgboost(JSON.stringify({
    learner: {
      learner_model_param: { base_score: '5E-1', num_class: '0', num_feature: String(names.length) },
      objective: { name: 'binary:logistic' },
      gradient_booster: {
        name: 'gbtree',
        model: {
          trees: stumps.map(({ feature, at, weights, cover }) => ({
            left_children: [1, -1, -1], right_children: [2, -1, -1], split_indices: [feature, 0, 0], split_conditions: [at, ...weights], default_left: [1, 0, 0],
            loss_changes: [1, 0, 0], sum_hessian: [cover[0] + cover[1], ...cover],
          })),
        },
      },
    },
  }), names, version);
  const margin = (row: readonly number[]): number => stumps.reduce((sum, { feature, at, weights }) => sum + (row[feature]! >= at ? weights[1] : weights[0]), 0);
  const rows = [0, 1, 2, 3].map((r) => names.map((_, i) => ((r + i) % 5 === 0 ? NaN : (r * 7 + i * 3) % 11)));
  return {
    onnx, margin,
    manifest: {
      model: 'churn', version, stage: 'champion', family: 'xgboost', view: view.name, view_version: view.version, features: names, created_at: 1_700_000_000_000,
      onnx_bytes: onnx.length, onnx_sha256: sha256Of(onnx), chunk_count: 1, metrics: {}, parameters: {}, data_hash: 'none', data_from: 0, data_to: 0, data_rows: 4,
      test_inputs: rows.map((row) => row.map((value) => (Number.isNaN(value) ? null : value))), test_outputs: rows.map((row) => 1 / (1 + Math.exp(-margin(row)))), ...MANIFEST_DEFAULTS, ...changes,
    },
  };
}
