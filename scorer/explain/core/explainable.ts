import { readCalibration, type Calibration, type CalibrationMethod } from '../../../schemas/onnx/calibration.js';
import { readGraph, type OnnxGraph } from '../../../schemas/onnx/graph.js';
import { probabilityOf, readTreeModel } from '../../../schemas/onnx/tree-model.js';
import { LEAF, UnknownForm, type Trees } from '../../../schemas/onnx/trees.js';
import { isLinear, LINEAR_OPERATORS, readLinear } from './linear.js';
import { compileTreeShap } from './tree-shap.js';

/** What contributions are counted in: log-odds of churn, or (a forest of churn rates) probability. */
export type Unit = 'log_odds' | 'probability';

/** A model that can be taken apart. */
export interface Explainable {
  readonly unit: Unit;
  readonly calibration: CalibrationMethod;
  /** The margin of a customer of whom nothing is known. */
  readonly base_value: number;
  /**
   * @param rows row-major, features as wide as the view; NaN is missing
   * @param out receives for each row one contribution a feature; with base_value they sum to the row's margin
   */
  contributions(rows: Float32Array, count: number, out: Float64Array): void;
  /** P(churn) that a margin means, calibration included. */
  scoreOf(margin: number): number;
}

/** Adds one row's contributions to its own columns. */
interface Part {
  readonly expected: number;
  addTo(row: Float32Array, at: number, out: Float64Array): void;
}

/** How far an explanation's score may be from the one that the model's trainer computed for the same row. */
export const EXPLAINED_TOLERANCE = 1e-4;

/**
 * Reads out of a model's file what explanations need. A model whose scores on its test rows the explanation does not come
 * to is not explained: what was read would be something else than what serves.
 * @throws UnknownForm, with the reason in words
 */
export function explainableOf(onnx: Uint8Array, features: number, tests: { readonly rows: readonly (readonly number[])[]; readonly scores: readonly number[] }): Explainable {
  const model = read(readGraph(onnx), features);
  const out = new Float64Array(features);
  for (const [i, row] of tests.rows.entries()) {
    out.fill(0);
    model.contributions(Float32Array.from(row), 1, out);
    const score = model.scoreOf(marginOf(model.base_value, out, 0, features));
    if (!(Math.abs(score - tests.scores[i]!) <= EXPLAINED_TOLERANCE)) throw new UnknownForm(`its contributions come to ${score} on test row ${i}, its score there is ${tests.scores[i]}`);
  }
  return model;
}

export function marginOf(base: number, contributions: ArrayLike<number>, from: number, features: number): number {
  let sum = base;
  for (let i = from; i < from + features; i++) sum += contributions[i]!;
  return sum;
}

function read(graph: OnnxGraph, features: number): Explainable {
  if (isLinear(graph)) return explainable('log_odds', readLinear(graph, features), readCalibration(graph, graph.nodes.slice(LINEAR_OPERATORS).map(({ operator }) => operator)), features);
  const { columns, logistic, calibration, ...file } = readTreeModel(graph);
  const trees = file.trees();
  checkCovers(trees);
  const part = compileTreeShap(trees);
  return explainable(logistic ? 'log_odds' : 'probability', columns === undefined ? part : gathered(part, columns), calibration, features);
}

/** Exporters without the figures leave them out, or write the same number everywhere; true covers of two children are their parent's. */
function checkCovers({ mode, yes, no, cover }: Trees): void {
  if (cover.length === 0) throw new UnknownForm('its file does not say how many training rows came by each node of its trees (nodes_hitrates): train it anew, or export it with them');
  const wrong = mode.findIndex((m, i) => m !== LEAF && !(cover[i]! > 0 && cover[yes[i]!]! >= 0 && cover[no[i]!]! >= 0 && Math.abs(cover[yes[i]!]! + cover[no[i]!]! - cover[i]!) <= 1e-3 * cover[i]!));
  if (wrong >= 0) throw new UnknownForm('what its file says of the training rows at each node (nodes_hitrates) does not add up: its exporter left the figures out');
}

/** An imported model takes its own columns out of the view's row. */
function gathered(part: Part, columns: Float64Array): Part {
  const row = new Float32Array(columns.length);
  const own = new Float64Array(columns.length);
  return {
    expected: part.expected,
    addTo(values, at, out) {
      columns.forEach((column, i) => { row[i] = values[at + column]!; });
      own.fill(0);
      part.addTo(row, 0, own);
      columns.forEach((column, i) => { out[column]! += own[i]!; });
    },
  };
}

function explainable(unit: Unit, part: Part, calibration: Calibration, features: number): Explainable {
  const own = new Float64Array(features);
  return {
    unit, calibration: calibration.method, base_value: part.expected,
    contributions(rows, count, out) {
      for (let row = 0; row < count; row++) {
        own.fill(0);
        part.addTo(rows, row * features, own);
        out.set(own, row * features);
      }
    },
    scoreOf: (margin) => calibration.apply(probabilityOf(margin, unit === 'log_odds')),
  };
}
