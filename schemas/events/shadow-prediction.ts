/**
 * One row that champion and challenger both scored, on `predictions.shadow` (key customer_id): the same values, the same
 * moment. The features stand in the prediction of the same id.
 */
export const TRIAL_MODES = ['shadow', 'canary'] as const;
export type TrialMode = (typeof TRIAL_MODES)[number];

export interface ShadowPrediction {
  /** Of the published prediction of this row. */
  prediction_id: string;
  customer_id: string;
  /** Epoch milliseconds. */
  event_time: number;
  scored_at: number;
  /** shadow: the champion's score was published; canary: the challenger's, unless it gave none. */
  mode: TrialMode;
  /** Share of the customers that the trial has; with the version and the mode it names the step of the rollout. */
  share: number;
  champion_version: string;
  challenger_version: string;
  champion_score: number;
  challenger_score: number;
  /** The model gave no probability, or failed: its score is the fallback. */
  champion_degraded: boolean;
  challenger_degraded: boolean;
  /** Time of the model's call by its rows, microseconds. */
  champion_us: number;
  challenger_us: number;
}

const time = { type: 'long', logicalType: 'timestamp-millis' } as const;
export const SHADOW_PREDICTION_AVRO = {
  type: 'record',
  name: 'ShadowPrediction',
  namespace: 'tidemark',
  fields: [
    { name: 'prediction_id', type: 'string' },
    { name: 'customer_id', type: 'string' },
    { name: 'event_time', type: time },
    { name: 'scored_at', type: time },
    { name: 'mode', type: { type: 'enum', name: 'TrialMode', symbols: [...TRIAL_MODES] } },
    { name: 'share', type: 'double', default: 0 },
    { name: 'champion_version', type: 'string' },
    { name: 'challenger_version', type: 'string' },
    { name: 'champion_score', type: 'double' },
    { name: 'challenger_score', type: 'double' },
    { name: 'champion_degraded', type: 'boolean' },
    { name: 'challenger_degraded', type: 'boolean' },
    { name: 'champion_us', type: 'double' },
    { name: 'challenger_us', type: 'double' },
  ],
} as const;
