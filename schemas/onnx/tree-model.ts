import { readCalibration, sigmoid, type Calibration } from './calibration.js';
import type { GraphNode, OnnxGraph } from './graph.js';
import { readTrees, UnknownForm, type Trees } from './trees.js';

/** A file that holds one tree ensemble and what turns its sum into P(churn). */
export interface TreeModel {
  /** Columns of the view's row that the trees know by 0, 1, 2 …; undefined where those are all, in their order. */
  readonly columns: Float64Array | undefined;
  /** Reads them: of thousands of nodes tens of milliseconds. @throws UnknownForm */
  trees(): Trees;
  /** Whether the trees' sum is log-odds; else a probability. */
  readonly logistic: boolean;
  readonly calibration: Calibration;
}

const TREES = new Set(['TreeEnsembleRegressor', 'TreeEnsembleClassifier']);

/** @throws UnknownForm, with the reason in words */
export function readTreeModel(graph: OnnxGraph): TreeModel {
  const names = graph.nodes.map(({ operator }) => operator);
  const at = names.findIndex((name) => TREES.has(name));
  if (at < 0 || names.filter((name) => TREES.has(name)).length > 1 || at > 1 || (at === 1 && names[0] !== 'Gather'))
    throw new UnknownForm(`it is made of ${[...new Set(names)].join(', ')}: known are tree ensembles and the trainer’s own logistic regression`);
  const node = graph.nodes[at]!;
  const columns = at === 0 ? undefined : graph.constant(graph.nodes[0]!.inputs[1] ?? '');
  if (at === 1 && columns === undefined) throw new UnknownForm('its choice of columns cannot be read');
  const { logistic, rest } = linkOf(node, names.slice(at + 1));
  return { columns, trees: () => readTrees(node), logistic, calibration: readCalibration(graph, rest) };
}

/** Behind the trees' sum: the logistic function for log-odds, nothing or a bound for probabilities. */
function linkOf(node: GraphNode, after: readonly string[]): { readonly logistic: boolean; readonly rest: readonly string[] } {
  const transform = node.texts('post_transform')[0] ?? 'NONE';
  if (transform === 'LOGISTIC') return { logistic: true, rest: after };
  if (transform !== 'NONE') throw new UnknownForm(`its trees end in ${transform}`);
  const [next, ...rest] = after;
  if (next === 'Sigmoid' || next === 'Clip') return { logistic: next === 'Sigmoid', rest };
  return { logistic: false, rest: after };
}

/** P(churn) of a model's own sum, before its calibration. */
export const probabilityOf = (margin: number, logistic: boolean): number => (logistic ? sigmoid(margin) : Math.min(1, Math.max(0, margin)));
