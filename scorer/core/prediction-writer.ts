import { decide, DECISIONS, FALLBACK_SCORE, isScore, type Decision } from './decision.js';
import type { FeatureScan } from './feature-scan.js';
import { writeVarint } from './wire.js';

/** What is the same for all rows of a chunk, as it stands on the wire. */
export interface PredictionStamp {
  readonly modelVersion: Uint8Array;
  readonly runtime: Uint8Array;
  readonly decisions: Readonly<Record<Decision, Uint8Array>>;
  readonly threshold: number;
}

/** Length prefix and bytes of a short ASCII text. */
function asciiField(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + 8);
  const at = writeVarint(text.length, bytes, 0);
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return bytes.subarray(0, at + text.length);
}

export const predictionStamp = (modelVersion: string, runtime: string, threshold: number): PredictionStamp => ({
  modelVersion: asciiField(modelVersion),
  runtime: asciiField(runtime),
  decisions: { keep: asciiField(DECISIONS[0]), at_risk: asciiField(DECISIONS[1]) },
  threshold,
});

/** Most bytes that a prediction takes beyond its features record: id, score, decision, model version, runtime, stamps. */
export const PREDICTION_EXTRA_BYTES = 320;
const FRAME_BYTES = 5;

/**
 * Writes predictions, framed, as `predictionsAvro(view)` says, byte for byte what avsc would write (a test holds them
 * equal). What the prediction repeats of the features record is copied, not decoded.
 * @param fallbackScore of rows without a probability
 */
export function createPredictionWriter(schemaId: number, partition: number, fallbackScore = FALLBACK_SCORE) {
  const idPrefix = `${partition}-`;
  return {
    /**
     * @param out room for the features record and PREDICTION_EXTRA_BYTES from `at` on
     * @param source the features record that `scan` describes
     * @returns the position after the prediction
     */
    write(out: Uint8Array, view: DataView, at: number, source: Uint8Array, scan: FeatureScan, end: number, offset: number, scoredAtMs: number, modelScore: number, stamp: PredictionStamp): number {
      const good = isScore(modelScore);
      const score = good ? modelScore : fallbackScore;
      out[at] = 0;
      view.setUint32(at + 1, schemaId);
      at = writeAscii(idPrefix, offset, out, at + FRAME_BYTES);
      at = copy(source, scan.customer, scan.trigger, out, at); // customer_id, event_id, event_time
      at = writeVarint(scoredAtMs, out, at);
      view.setFloat64(at, score, true);
      at = copy(stamp.decisions[decide(score, stamp.threshold)], 0, -1, out, at + 8);
      at = copy(stamp.modelVersion, 0, -1, out, at);
      at = copy(source, scan.viewVersion, scan.producedAt, out, at);
      at = copy(source, scan.trigger, scan.viewVersion, out, at);
      out[at++] = good ? 0 : 1;
      at = copy(stamp.runtime, 0, -1, out, at);
      return copy(source, scan.producedAt, end, out, at); // produced_at, features_at, channel, values
    },
  };
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  const stop = end < 0 ? from.length : end;
  for (let i = start; i < stop; i++) to[at++] = from[i] as number;
  return at;
}

function writeAscii(prefix: string, offset: number, out: Uint8Array, at: number): number {
  const text = prefix + offset;
  at = writeVarint(text.length, out, at);
  for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
  return at;
}
