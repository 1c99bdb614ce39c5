import { MANIFEST_DEFAULTS, type ModelManifest } from '../../schemas/events/model.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import { sha256Of } from '../../runtime/models/assemble.js';
import { sized } from '../../runtime/models/publish.js';
import { openSession } from '../../runtime/models/session.js';
import { versionOf } from '../manifest.js';
import { describeGraph, onViewRows, withoutZipMap } from './core/graph.js';
import type { CheckRows } from './core/check-rows.js';
import type { Mapping } from './core/mapping.js';

export interface ForeignModel {
  readonly onnx: Uint8Array;
  /** How errors and lineage call it. */
  readonly file: string;
  readonly mapping: Mapping;
  /** Rows with the scores of its trainer; undefined: taken unchecked. */
  readonly check: CheckRows | undefined;
  /** How far a score may be from the expected one. */
  readonly tolerance: number;
}

export interface Prepared {
  readonly manifest: ModelManifest;
  readonly onnx: Buffer;
  /** Largest difference from the expected scores; undefined where there were none. */
  readonly difference_max: number | undefined;
  readonly zipmap_removed: boolean;
}

/** Rows that every scorer checks before the model serves. */
const TEST_ROWS_MAX = 32;
/** The graph on rows of the view is the same arithmetic as the one on its own columns. */
const MAPPED_TOLERANCE = 1e-6;

/**
 * Makes a version of a foreign model: one that takes rows of the view, after its scores were held against those its trainer computed.
 * @throws TidemarkError MODEL_INVALID, MODEL_CHECK_FAILED
 */
export function prepareForeign({ onnx, file, mapping, check, tolerance }: ForeignModel, about: { readonly model: string; readonly view: FeatureView; readonly created_at: number }): Prepared {
  const features = featureNames(about.view);
  const invalid = (error: unknown): TidemarkError => new TidemarkError('MODEL_INVALID', `${file}: no ONNX model that can be imported: ${messageOf(error)}`, { cause: error });
  let own: Uint8Array;
  let served: Buffer;
  let operators: readonly string[];
  try {
    own = withoutZipMap(onnx);
    ({ operators } = describeGraph(own));
    served = Buffer.from(onViewRows(own, mapping.columns, features.length));
  } catch (error) {
    throw invalid(error);
  }
  const rows = check?.rows ?? sampleRows(mapping.inputs.length);
  const scores = scoresOf(own, mapping.inputs.length, rows, file);
  const difference_max = check === undefined ? undefined : compare(scores, check.expected, tolerance, (row) => `${file}: row ${row + 1} of the check rows`);
  const kept = spreadOver(rows.length, TEST_ROWS_MAX);
  const viewRows = kept.map((row) => onView(rows[row]!, mapping.columns, features.length));
  // Two columns of the model may be one feature of the view, so a row of the view may say less than a check row did.
  const expected = scoresOf(own, mapping.inputs.length, viewRows.map((row) => mapping.columns.map((column) => row[column]!)), file);
  compare(scoresOf(served, features.length, viewRows, file), expected, MAPPED_TOLERANCE, (row) => `${file} on rows of the view: row ${row + 1}`);

  const draft = {
    model: about.model, version: versionOf(about.created_at, served), stage: 'candidate' as const, family: 'imported', view: about.view.name, view_version: about.view.version,
    features, created_at: about.created_at,
    metrics: { ...(difference_max === undefined ? {} : { check_rows: rows.length, check_difference_max: difference_max }) },
    parameters: {
      source_file: file, source_sha256: sha256Of(onnx), operators: operators.join(' '),
      mapping: mapping.inputs.map((input, i) => `${input}=${features[mapping.columns[i]!]}`).join(','),
    },
    data_hash: '', data_from: 0, data_to: 0, data_rows: 0,
    test_inputs: viewRows.map((row) => row.map((value) => (Number.isNaN(value) ? null : value))), test_outputs: expected,
    ...MANIFEST_DEFAULTS,
  };
  return { manifest: sized(draft, served), onnx: served, difference_max, zipmap_removed: own !== onnx };
}

function scoresOf(onnx: Uint8Array, columns: number, rows: readonly (readonly number[])[], name: string): number[] {
  const session = openSession(onnx, columns, name);
  try {
    const out = new Float64Array(1);
    return rows.map((row) => {
      session.score(Float32Array.from(row), 1, out, 0);
      return out[0]!;
    });
  } finally {
    session.release();
  }
}

function compare(scores: readonly number[], expected: readonly number[], tolerance: number, what: (row: number) => string): number {
  let worst = 0;
  for (const [row, score] of scores.entries()) {
    const difference = Math.abs(score - expected[row]!);
    if (!(difference <= tolerance))
      throw new TidemarkError('MODEL_CHECK_FAILED', `${what(row)} scores ${score}, expected ${expected[row]} within ${tolerance}: it is not imported; are the columns in the model’s order (--inputs)?`);
    worst = Math.max(worst, difference);
  }
  return worst;
}

/** The model's columns in their places of the view; what it does not take is 0. */
function onView(row: readonly number[], columns: readonly number[], width: number): number[] {
  const out = new Array<number>(width).fill(0);
  columns.forEach((column, i) => { out[column] = Math.fround(row[i]!); });
  return out;
}

/** Evenly spaced row numbers, first and last included. */
const spreadOver = (rows: number, most: number): number[] =>
  Array.from({ length: Math.min(rows, most) }, (_, i) => (rows <= most ? i : Math.round((i * (rows - 1)) / (most - 1))));

/** Rows for a model that brought none: its own scores on them are at least the same wherever it is loaded. */
const sampleRows = (columns: number): number[][] =>
  Array.from({ length: 12 }, (_, r) => Array.from({ length: columns }, (_, c) => ((r + c) % 5 === 4 ? NaN : (r * 7 + c * 3) % 23)));
