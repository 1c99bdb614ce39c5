import type { GraphNode } from './graph.js';

/** A model file of a form that is not read here, with the reason in words. */
export class UnknownForm extends Error {}

/** How an inner node compares its feature with its threshold; true leads to `yes`. */
export const MODES = ['BRANCH_LT', 'BRANCH_LEQ', 'BRANCH_GT', 'BRANCH_GTE'] as const;
export const LEAF = 255;
/** Beyond it what is made of the trees would take more memory than a scorer has for it. */
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
  /** How much of the training rows came by; empty where the file does not say. */
  readonly cover: Float64Array;
  /** What a leaf adds to the margin. */
  readonly weight: Float64Array;
  /** The margin before any leaf. */
  readonly base: number;
}

/** @param node TreeEnsembleRegressor or TreeEnsembleClassifier of ai.onnx.ml. @throws UnknownForm */
export function readTrees(node: GraphNode): Trees {
  const nodes = readNodes(node);
  const { count, mode, find } = nodes;
  const yesAt = childrenOf(nodes, node.ints('nodes_truenodeids'));
  const noAt = childrenOf(nodes, node.ints('nodes_falsenodeids'));
  const roots: number[] = [];
  const order: number[] = [];
  const place = new Int32Array(count);
  for (const root of rootsOf(nodes, yesAt, noAt)) {
    roots.push(order.length);
    const waiting = [root];
    while (waiting.length > 0) {
      const i = waiting.pop()!;
      place[i] = order.push(i) - 1;
      if (order.length > count) throw new UnknownForm('its nodes are no trees');
      if (mode[i] !== LEAF) waiting.push(noAt[i]!, yesAt[i]!);
    }
  }
  const [features, thresholds, tracks, covers] = [node.ints('nodes_featureids'), node.floats('nodes_values'), node.ints('nodes_missing_value_tracks_true'), node.floats('nodes_hitrates')];
  const weights = leafWeights(node, find, count);
  const trees: Trees = {
    roots: Int32Array.from(roots), mode: new Uint8Array(count), feature: new Int32Array(count), threshold: new Float32Array(count),
    yes: new Int32Array(count).fill(-1), no: new Int32Array(count).fill(-1), missing_yes: new Uint8Array(count),
    cover: new Float64Array(covers.length === count ? count : 0), weight: new Float64Array(count), base: node.floats('base_values').reduce((sum, value) => sum + value, 0),
  };
  order.forEach((i, to) => {
    trees.mode[to] = mode[i]!;
    trees.weight[to] = weights[i]!;
    trees.cover[to] = covers[i]!;
    if (mode[i] === LEAF) return;
    trees.feature[to] = features[i]!;
    trees.threshold[to] = thresholds[i]!;
    trees.missing_yes[to] = tracks[i] ?? 0;
    trees.yes[to] = place[yesAt[i]!]!;
    trees.no[to] = place[noAt[i]!]!;
  });
  return trees;
}

/** Nodes as the file lists them. */
interface Listed {
  readonly count: number;
  readonly tree: readonly number[];
  readonly mode: Uint8Array;
  /** @returns where the node stands that has this number in its tree; undefined where there is none */
  find(tree: number, id: number): number | undefined;
}

function readNodes(node: GraphNode): Listed {
  const [tree, id] = [node.ints('nodes_treeids'), node.ints('nodes_nodeids')];
  const count = tree.length;
  if (count > NODES_MAX) throw new UnknownForm(`it has ${count} nodes, at most ${NODES_MAX} are read`);
  const mode = Uint8Array.from(node.texts('nodes_modes'), modeOf);
  if (id.length !== count || mode.length !== count) throw new UnknownForm(`it has ${count} nodes, ${id.length} numbers and ${mode.length} modes of them`);
  const first = new Map<number, number>();
  for (let i = count - 1; i >= 0; i--) first.set(tree[i]!, i);
  let index: Map<string, number> | undefined;
  return {
    count, tree, mode,
    find(of, wanted) {
      // Nearly all exporters number a tree's nodes as they stand.
      const start = first.get(of) ?? 0;
      const likely = start + wanted - id[start]!;
      if (tree[likely] === of && id[likely] === wanted) return likely;
      index ??= new Map(tree.map((one, i) => [`${one} ${id[i]}`, i]));
      return index.get(`${of} ${wanted}`);
    },
  };
}

function modeOf(mode: string): number {
  if (mode === 'LEAF') return LEAF;
  const found = (MODES as readonly string[]).indexOf(mode);
  if (found < 0) throw new UnknownForm(`its trees branch by ${mode}`);
  return found;
}

/** Where the children stand to which inner nodes lead. */
function childrenOf({ tree, mode, count, find }: Listed, ids: readonly number[]): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => {
    if (mode[i] === LEAF) return -1;
    const found = find(tree[i]!, ids[i]!);
    if (found === undefined) throw new UnknownForm(`its tree ${tree[i]} is no tree`);
    return found;
  });
}

function rootsOf({ tree, mode, count }: Listed, yesAt: Int32Array, noAt: Int32Array): number[] {
  const child = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    if (mode[i] === LEAF) continue;
    for (const found of [yesAt[i]!, noAt[i]!]) {
      if (child[found] === 1) throw new UnknownForm(`its tree ${tree[i]} is no tree`);
      child[found] = 1;
    }
  }
  return [...child.keys()].filter((i) => child[i] === 0);
}

/** What each leaf adds to the margin of P(churn): the only target, or the only or second of two classes. */
function leafWeights(node: GraphNode, find: Listed['find'], count: number): Float64Array {
  const classifier = node.operator === 'TreeEnsembleClassifier';
  const prefix = classifier ? 'class' : 'target';
  const [trees, nodes, ids, values] = [node.ints(`${prefix}_treeids`), node.ints(`${prefix}_nodeids`), node.ints(`${prefix}_ids`), node.floats(`${prefix}_weights`)];
  const classes = Math.max(node.ints('classlabels_int64s').length, node.texts('classlabels_strings').length);
  const targets = classifier ? classes : (node.ints('n_targets')[0] ?? 1);
  if (targets !== (classifier ? 2 : 1)) throw new UnknownForm(`it has ${targets} outputs, only models of one probability are read`);
  const wanted = classifier && ids.includes(1) ? 1 : 0;
  const aggregate = node.texts('aggregate_function')[0] ?? 'SUM';
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE') throw new UnknownForm(`its trees are put together by ${aggregate}`);
  const share = aggregate === 'AVERAGE' ? 1 / new Set(node.ints('nodes_treeids')).size : 1;
  const weights = new Float64Array(count);
  ids.forEach((id, i) => {
    const leaf = find(trees[i]!, nodes[i]!);
    if (leaf === undefined) throw new UnknownForm(`a weight belongs to node ${nodes[i]} of tree ${trees[i]}, which is not there`);
    if (id === wanted) weights[leaf]! += values[i]! * share;
  });
  return weights;
}
