import type { GraphNode } from './onnx-graph.js';

/** A model that explanations are not made of, with the reason in words. */
export class NotExplainable extends Error {}

/** How an inner node compares its feature with its threshold; true leads to `yes`. */
export const MODES = ['BRANCH_LT', 'BRANCH_LEQ', 'BRANCH_GT', 'BRANCH_GTE'] as const;
export const LEAF = 255;
/** Beyond it the tables of an explanation would take more memory than a scorer has for them. */
const NODES_MAX = 2_000_000;

/** A tree ensemble of one output: nodes of a tree stand together, parents before their children, each tree's root first. */
export interface Trees {
  readonly roots: Int32Array;
  /** Place in MODES, or LEAF. */
  readonly mode: Uint8Array;
  /** Column of the tree operator's input. */
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly yes: Int32Array;
  readonly no: Int32Array;
  readonly missing_yes: Uint8Array;
  /** How much of the training rows came by. */
  readonly cover: Float64Array;
  /** What a leaf adds to the margin. */
  readonly weight: Float64Array;
  /** The margin before any leaf. */
  readonly base: number;
}

/** @param node TreeEnsembleRegressor or TreeEnsembleClassifier of ai.onnx.ml. @throws NotExplainable */
export function readTrees(node: GraphNode): Trees {
  const treeIds = node.ints('nodes_treeids');
  const nodeIds = node.ints('nodes_nodeids');
  const count = treeIds.length;
  if (count > NODES_MAX) throw new NotExplainable(`it has ${count} nodes, at most ${NODES_MAX} are explained`);
  const keyOf = (tree: number, id: number): string => `${tree} ${id}`;
  const at = new Map(treeIds.map((tree, i) => [keyOf(tree, nodeIds[i]!), i]));
  const [features, thresholds, modes] = [node.ints('nodes_featureids'), node.floats('nodes_values'), node.texts('nodes_modes')];
  const [yesIds, noIds, tracks] = [node.ints('nodes_truenodeids'), node.ints('nodes_falsenodeids'), node.ints('nodes_missing_value_tracks_true')];
  const covers = coversOf(node, count);
  const weights = leafWeights(node, at, keyOf, count);

  const roots: number[] = [];
  const order: number[] = [];
  const place = new Int32Array(count);
  for (const root of rootsOf(treeIds, modes, yesIds, noIds, at, keyOf)) {
    roots.push(order.length);
    const waiting = [root];
    while (waiting.length > 0) {
      const i = waiting.pop()!;
      place[i] = order.push(i) - 1;
      if (order.length > count) throw new NotExplainable('its nodes are no trees');
      if (modes[i] !== 'LEAF') waiting.push(at.get(keyOf(treeIds[i]!, noIds[i]!))!, at.get(keyOf(treeIds[i]!, yesIds[i]!))!);
    }
  }
  const inner = (i: number): boolean => modes[i] !== 'LEAF';
  const child = (ids: readonly number[], i: number): number => (inner(i) ? place[at.get(keyOf(treeIds[i]!, ids[i]!))!]! : -1);
  const trees: Trees = {
    roots: Int32Array.from(roots),
    mode: Uint8Array.from(order, (i) => modeOf(modes[i]!)),
    feature: Int32Array.from(order, (i) => features[i]!),
    threshold: Float32Array.from(order, (i) => thresholds[i]!),
    yes: Int32Array.from(order, (i) => child(yesIds, i)),
    no: Int32Array.from(order, (i) => child(noIds, i)),
    missing_yes: Uint8Array.from(order, (i) => tracks[i] ?? 0),
    cover: Float64Array.from(order, (i) => covers[i]!),
    weight: Float64Array.from(order, (i) => weights[i]!),
    base: node.floats('base_values').reduce((sum, value) => sum + value, 0),
  };
  checkCovers(trees);
  return trees;
}

function modeOf(mode: string): number {
  if (mode === 'LEAF') return LEAF;
  const found = (MODES as readonly string[]).indexOf(mode);
  if (found < 0) throw new NotExplainable(`its trees branch by ${mode}`);
  return found;
}

function rootsOf(treeIds: readonly number[], modes: readonly string[], yesIds: readonly number[], noIds: readonly number[], at: ReadonlyMap<string, number>, keyOf: (tree: number, id: number) => string): number[] {
  const child = new Uint8Array(treeIds.length);
  treeIds.forEach((tree, i) => {
    if (modes[i] === 'LEAF') return;
    for (const id of [yesIds[i]!, noIds[i]!]) {
      const found = at.get(keyOf(tree, id));
      if (found === undefined || child[found] === 1) throw new NotExplainable(`its tree ${tree} is no tree`);
      child[found] = 1;
    }
  });
  return [...child.keys()].filter((i) => child[i] === 0);
}

function coversOf(node: GraphNode, count: number): Float32Array {
  const covers = node.floats('nodes_hitrates');
  if (covers.length !== count) throw new NotExplainable('its file does not say how many training rows came by each node of its trees (nodes_hitrates): train it anew, or export it with them');
  return covers;
}

/** Exporters without the figures write the same number everywhere; true covers of two children are their parent's. */
function checkCovers({ mode, yes, no, cover }: Trees): void {
  const wrong = mode.findIndex((m, i) => m !== LEAF && !(cover[i]! > 0 && cover[yes[i]!]! >= 0 && cover[no[i]!]! >= 0 && Math.abs(cover[yes[i]!]! + cover[no[i]!]! - cover[i]!) <= 1e-3 * cover[i]!));
  if (wrong >= 0) throw new NotExplainable('what its file says of the training rows at each node (nodes_hitrates) does not add up: its exporter left the figures out');
}

/** What each leaf adds to the margin of P(churn): the only target, or the only or second of two classes. */
function leafWeights(node: GraphNode, at: ReadonlyMap<string, number>, keyOf: (tree: number, id: number) => string, count: number): Float64Array {
  const classifier = node.operator === 'TreeEnsembleClassifier';
  const prefix = classifier ? 'class' : 'target';
  const [trees, nodes, ids, values] = [node.ints(`${prefix}_treeids`), node.ints(`${prefix}_nodeids`), node.ints(`${prefix}_ids`), node.floats(`${prefix}_weights`)];
  const classes = Math.max(node.ints('classlabels_int64s').length, node.texts('classlabels_strings').length);
  const targets = classifier ? classes : (node.ints('n_targets')[0] ?? 1);
  if (targets !== (classifier ? 2 : 1)) throw new NotExplainable(`it has ${targets} outputs, only models of one probability are explained`);
  const wanted = classifier && ids.includes(1) ? 1 : 0;
  const aggregate = node.texts('aggregate_function')[0] ?? 'SUM';
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE') throw new NotExplainable(`its trees are put together by ${aggregate}`);
  const share = aggregate === 'AVERAGE' ? 1 / new Set(node.ints('nodes_treeids')).size : 1;
  const weights = new Float64Array(count);
  ids.forEach((id, i) => {
    if (id !== wanted) return;
    const leaf = at.get(keyOf(trees[i]!, nodes[i]!));
    if (leaf === undefined) throw new NotExplainable(`a weight belongs to node ${nodes[i]} of tree ${trees[i]}, which is not there`);
    weights[leaf]! += values[i]! * share;
  });
  return weights;
}
