import type { CalibrationMethod } from '../../schemas/onnx/calibration.js';
import type { Unit } from './core/explainable.js';

/** A model as its thread gets it: what is read once, and kept under its key. */
export interface LoadMessage {
  readonly kind: 'load';
  readonly key: number;
  readonly onnx: Uint8Array;
  readonly features: number;
  readonly test_rows: readonly (readonly number[])[];
  readonly test_scores: readonly number[];
}
/** Rows to be explained, row-major. */
export interface ExplainMessage {
  readonly kind: 'explain';
  readonly id: number;
  readonly key: number;
  readonly rows: Float32Array;
  readonly count: number;
}
export type ToExplainer = LoadMessage | ExplainMessage;

export interface Contributions {
  readonly unit: Unit;
  readonly calibration: CalibrationMethod;
  readonly base_value: number;
  /** Row-major, one a feature. */
  readonly contributions: Float64Array;
  /** Of each row: base value and contributions together. */
  readonly margins: Float64Array;
  /** P(churn) that each margin means. */
  readonly scores: Float64Array;
}
export type FromExplainer =
  | ({ readonly kind: 'explained'; readonly id: number } & Contributions)
  /** The model is none that can be explained. */
  | { readonly kind: 'refused'; readonly id: number; readonly reason: string };

/** Models that the thread keeps: the champion, a challenger, and one before. */
export const MODELS_KEPT = 3;
