import { readCalibration, sigmoid, type CalibrationMethod } from './calibration.js';
import { isLinear, LINEAR_OPERATORS, readLinear } from './linear.js';
import { readGraph, type GraphNode, type OnnxGraph } from './onnx-graph.js';
import { compileTreeShap } from './tree-shap.js';
import { NotExplainable, readTrees } from './trees.js';

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
 * @throws NotExplainable, with the reason in words
 */
export function explainableOf(onnx: Uint8Array, features: number, tests: { readonly rows: readonly (readonly number[])[]; readonly scores: readonly number[] }): Explainable {
  const model = read(readGraph(onnx), features);
  const out = new Float64Array(features);
  for (const [i, row] of tests.rows.entries()) {
    out.fill(0);
    model.contributions(Float32Array.from(row), 1, out);
    const score = model.scoreOf(marginOf(model.base_value, out, 0, features));
    if (!(Math.abs(score - tests.scores[i]!) <= EXPLAINED_TOLERANCE)) throw new NotExplainable(`its contributions come to ${score} on test row ${i}, its score there is ${tests.scores[i]}`);
  }
  return model;
}

export function marginOf(base: number, contributions: ArrayLike<number>, from: number, features: number): number {
  let sum = base;
  for (let i = from; i < from + features; i++) sum += contributions[i]!;
  return sum;
}

const TREES = new Set(['TreeEnsembleRegressor', 'TreeEnsembleClassifier']);

function read(graph: OnnxGraph, features: number): Explainable {
  const names = graph.nodes.map(({ operator }) => operator);
  if (isLinear(graph)) return explainable('log_odds', readLinear(graph, features), readCalibration(graph, names.slice(LINEAR_OPERATORS)), features);
  const at = names.findIndex((name) => TREES.has(name));
  if (at < 0 || names.filter((name) => TREES.has(name)).length > 1 || at > 1 || (at === 1 && names[0] !== 'Gather'))
    throw new NotExplainable(`it is made of ${[...new Set(names)].join(', ')}: explained are tree ensembles and the trainer’s own logistic regression`);
  const node = graph.nodes[at]!;
  const trees = compileTreeShap(readTrees(node));
  const part = at === 0 ? trees : gathered(trees, graph.constant(graph.nodes[0]!.inputs[1] ?? ''));
  const { logistic, rest } = linkOf(node, names.slice(at + 1));
  return explainable(logistic ? 'log_odds' : 'probability', part, readCalibration(graph, rest), features);
}

/** Behind the trees' sum: the logistic function for log-odds, nothing or a bound for probabilities. */
function linkOf(node: GraphNode, after: readonly string[]): { readonly logistic: boolean; readonly rest: readonly string[] } {
  const transform = node.texts('post_transform')[0] ?? 'NONE';
  if (transform === 'LOGISTIC') return { logistic: true, rest: after };
  if (transform !== 'NONE') throw new NotExplainable(`its trees end in ${transform}`);
  const [next, ...rest] = after;
  if (next === 'Sigmoid' || next === 'Clip') return { logistic: next === 'Sigmoid', rest };
  return { logistic: false, rest: after };
}

/** An imported model takes its own columns out of the view's row. */
function gathered(part: Part, columns: Float64Array | undefined): Part {
  if (columns === undefined) throw new NotExplainable('its choice of columns cannot be read');
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

function explainable(unit: Unit, part: Part, calibration: { readonly method: CalibrationMethod; apply(p: number): number }, features: number): Explainable {
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
    scoreOf: (margin) => calibration.apply(unit === 'log_odds' ? sigmoid(margin) : Math.min(1, Math.max(0, margin))),
  };
}
