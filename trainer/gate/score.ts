import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelManifest } from '../../schemas/events/model.js';
import { openSession, type ScoringSession } from '../../runtime/models/session.js';
import type { LabelledRows } from '../rows.js';

/** A model as the gate loads it: manifest and bytes. */
export interface GateModel {
  readonly manifest: Pick<ModelManifest, 'model' | 'version' | 'features'>;
  readonly onnx: Uint8Array;
}

/** A model that is loaded, with the rows that it is measured on in its own order of inputs. */
export interface OpenModel {
  readonly session: ScoringSession;
  readonly inputs: Float32Array;
  readonly rows: number;
  readonly bytes: number;
}

/** Where each of a model's inputs stands in the rows; undefined where the rows do not have one of them. */
export function columnsOf(features: readonly string[], { feature_names }: Pick<LabelledRows, 'feature_names'>): number[] | undefined {
  const columns = features.map((name) => feature_names.indexOf(name));
  return columns.includes(-1) ? undefined : columns;
}

/** @param columns of the rows, one an input of the model @throws TidemarkError MODEL_INVALID */
export function openModel({ manifest, onnx }: GateModel, rows: LabelledRows, columns: readonly number[]): OpenModel {
  const width = rows.feature_names.length;
  const inputs = new Float32Array(rows.rows * columns.length);
  for (let row = 0, at = 0; row < rows.rows; row++) for (const column of columns) inputs[at++] = rows.values[row * width + column]!;
  const session = openSession(onnx, columns.length, `${manifest.model} ${manifest.version}`);
  return { session, inputs, rows: rows.rows, bytes: onnx.length };
}

const ROWS_AT_ONCE = 512;

/** Scores the rows as the scorer does, letting others have their turn between chunks. */
export async function scoreRows({ session, inputs, rows }: OpenModel): Promise<Float64Array> {
  const scores = new Float64Array(rows);
  for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - from);
    session.score(inputs.subarray(from * session.featureCount, (from + count) * session.featureCount), count, scores, from);
    await nextTurn();
  }
  return scores;
}
