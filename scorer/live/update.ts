import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { TENURE_FEATURE } from '../../schemas/segments.js';
import { predictionReader } from '../store/prediction.js';
import { segmentsOf, type Facts } from './core/filter.js';

/** A committed score on its way to subscribers. It is read when the first of them may want it, and once for all of them. */
export interface Update {
  /** Its number among the scores of this run. */
  readonly n: number;
  readonly customerId: string;
  readonly framed: Buffer;
  reading: Reading | undefined;
}

export interface Reading {
  readonly facts: Facts;
  /** The message without what differs between subscribers: JSON from the customer's id to the closing brace. */
  readonly body: string;
  readonly bytes: number;
}

/** @param view without the feature tenure_days no score has a tenure band */
export function updateReader(view: FeatureView): (framed: Buffer) => Reading {
  const read = predictionReader(view);
  const tenureAt = featureNames(view).indexOf(TENURE_FEATURE);
  return (framed) => {
    const { customer_id, prediction_id, event_id, event_time, scored_at, score, decision, model_version, trigger, degraded, channel, values } = read(framed);
    const segments = segmentsOf(channel, values[tenureAt] ?? Number.NaN);
    const body = JSON.stringify({
      customer_id, prediction_id, event_id, event_time: new Date(event_time).toISOString(), scored_at: new Date(scored_at).toISOString(),
      score, decision, model_version, trigger, degraded, segments: [segments.channel, segments.tenure].filter((name) => name !== '' && name !== 'channel='),
    }).slice(1);
    return { facts: { customerId: customer_id, predictionId: prediction_id, modelVersion: model_version, score, ...segments }, body, bytes: Buffer.byteLength(body) };
  };
}
