import { avroType } from '../../runtime/registry/avro-type.js';
import { FRAME_BYTES } from '../../runtime/registry/wire-format.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { readVarint, skipVarint } from '../core/wire.js';
import { featureNames, predictionsAvro, type Trigger } from '../../schemas/features/derive.js';

/** A prediction as it stands on the topic and in the online store. Times are epoch milliseconds. */
export interface Prediction {
  readonly prediction_id: string;
  readonly customer_id: string;
  readonly event_id: string;
  readonly event_time: number;
  readonly scored_at: number;
  readonly score: number;
  readonly decision: string;
  readonly model_version: string;
  readonly view_version: number;
  readonly trigger: Trigger;
  readonly degraded: boolean;
  /** What scored it; empty where its writer did not say. */
  readonly runtime: string;
  readonly produced_at: number;
  readonly features_at: number;
  readonly channel: string;
  /** Values in view order; NaN is missing. */
  readonly values: readonly number[];
}

/** Reads predictions of this view from their framed bytes. */
export function predictionReader(view: FeatureView): (framed: Buffer) => Prediction {
  const type = avroType(predictionsAvro(view));
  const names = featureNames(view);
  return (framed) => {
    const record = type.decode(framed, FRAME_BYTES).value as Omit<Prediction, 'values'> & Record<string, number>;
    const values = names.map((name) => record[name] as number);
    const { prediction_id, customer_id, event_id, event_time, scored_at, score, decision, model_version, view_version, trigger, degraded, runtime, produced_at, features_at, channel } = record;
    return { prediction_id, customer_id, event_id, event_time, scored_at, score, decision, model_version, view_version, trigger, degraded, runtime, produced_at, features_at, channel, values };
  };
}

/** Copies the values of a framed prediction into a float32 matrix without decoding the rest: they are its last bytes. */
export function fillFromPrediction(framed: Buffer, featureCount: number, matrix: Float32Array, at: number): void {
  for (let i = 0, from = framed.length - featureCount * 8; i < featureCount; i++, from += 8) matrix[at + i] = framed.readDoubleLE(from);
}

/** The partition of customer-features that a framed prediction was scored from: its id, the first field, begins with it. */
export function partitionOfPrediction(framed: Buffer): number {
  const id = framed.toString('latin1', FRAME_BYTES + 1, FRAME_BYTES + 12);
  return Number(id.slice(0, id.indexOf('-')));
}

/** The score of a framed prediction without decoding the rest: it follows three texts and two times. */
export function scoreOfPrediction(framed: Buffer): number {
  let at = FRAME_BYTES;
  for (let texts = 0; texts < 3; texts++) at = skipVarint(framed, at, framed.length) + readVarint(framed, at);
  at = skipVarint(framed, skipVarint(framed, at, framed.length), framed.length);
  return framed.readDoubleLE(at);
}

const time = (ms: number): string => new Date(ms).toISOString();

/** The customer as JSON says it: features by name, missing ones null. */
export function customerJson(view: FeatureView, prediction: Prediction): Record<string, unknown> {
  const { values, event_time, scored_at, produced_at, features_at, runtime: _, ...rest } = prediction;
  return {
    ...rest,
    event_time: time(event_time), scored_at: time(scored_at), produced_at: time(produced_at), features_at: time(features_at),
    features: Object.fromEntries(featureNames(view).map((name, i) => [name, Number.isFinite(values[i]) ? values[i] : null])),
  };
}
