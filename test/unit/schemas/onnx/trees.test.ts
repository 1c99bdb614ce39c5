import t from 'tap';
import type { GraphNode } from '../../../../schemas/onnx/graph.js';
import { LEAF, readTrees } from '../../../../schemas/onnx/trees.js';

interface Listed { tree: number; id: number; mode: string; feature?: number; value?: number; yes?: number; no?: number; missing?: number; cover?: number; weight?: number }

/** Two trees: x0 < 1 ? 10 : (x1 < 2 ? 20 : 30), and a leaf of 5. */
const NODES: readonly Listed[] = [
  { tree: 0, id: 0, mode: 'BRANCH_LT', feature: 0, value: 1, yes: 1, no: 2, missing: 1, cover: 9 },
  { tree: 0, id: 1, mode: 'LEAF', cover: 3, weight: 10 },
  { tree: 0, id: 2, mode: 'BRANCH_LT', feature: 1, value: 2, yes: 3, no: 4, cover: 6 },
  { tree: 0, id: 3, mode: 'LEAF', cover: 2, weight: 20 },
  { tree: 0, id: 4, mode: 'LEAF', cover: 4, weight: 30 },
  { tree: 1, id: 0, mode: 'LEAF', cover: 9, weight: 5 },
];
function nodeOf(nodes: readonly Listed[], changes: Record<string, readonly (number | string)[]> = {}): GraphNode {
  const leaves = nodes.filter(({ mode }) => mode === 'LEAF');
  const attributes: Record<string, readonly (number | string)[]> = {
    nodes_treeids: nodes.map(({ tree }) => tree), nodes_nodeids: nodes.map(({ id }) => id), nodes_modes: nodes.map(({ mode }) => mode),
    nodes_featureids: nodes.map(({ feature }) => feature ?? 0), nodes_values: nodes.map(({ value }) => value ?? 0),
    nodes_truenodeids: nodes.map(({ yes }) => yes ?? 0), nodes_falsenodeids: nodes.map(({ no }) => no ?? 0),
    nodes_missing_value_tracks_true: nodes.map(({ missing }) => missing ?? 0), nodes_hitrates: nodes.map(({ cover }) => cover ?? 0),
    target_treeids: leaves.map(({ tree }) => tree), target_nodeids: leaves.map(({ id }) => id), target_ids: leaves.map(() => 0), target_weights: leaves.map(({ weight }) => weight ?? 0),
    n_targets: [1], base_values: [0.5], ...changes,
  };
  const of = (name: string): readonly (number | string)[] => attributes[name] ?? [];
  return { operator: 'TreeEnsembleRegressor', inputs: [], outputs: [], ints: (name) => of(name).map(Number), floats: (name) => Float32Array.from(of(name).map(Number)), texts: (name) => of(name).map(String) };
}

t.test('trees come with each root first and parents before children, however their nodes are numbered and listed', async (t) => {
  const plain = readTrees(nodeOf(NODES));
  t.same([...plain.roots], [0, 5]);
  t.same([...plain.mode].map((mode) => mode === LEAF), [false, true, false, true, true, true]);
  t.same([...plain.weight], [0, 10, 0, 20, 30, 5]);
  t.same([...plain.cover], [9, 3, 6, 2, 4, 9]);
  t.same([...plain.missing_yes], [1, 0, 0, 0, 0, 0]);
  t.same([...plain.yes], [1, -1, 3, -1, -1, -1]);
  t.same([...plain.no], [2, -1, 4, -1, -1, -1]);
  t.equal(plain.base, 0.5);
  const renumbered = NODES.map((node) => ({ ...node, id: node.id * 7 + 3, ...(node.yes === undefined ? {} : { yes: node.yes * 7 + 3, no: node.no! * 7 + 3 }) }));
  t.same(readTrees(nodeOf(renumbered)), plain, 'numbers with gaps');
  t.same(readTrees(nodeOf([0, 4, 1, 3, 2, 5].map((i) => NODES[i]!))), plain, 'in another order');
  const { roots, ...trees } = readTrees(nodeOf([5, 2, 4, 0, 3, 1].map((i) => NODES[i]!)));
  t.same([...roots], [0, 1], 'the other tree first');
  t.same([...trees.weight], [5, 0, 10, 0, 20, 30]);
});

t.test('what the file does not say is empty; what is no tree is refused', async (t) => {
  t.same([...readTrees(nodeOf(NODES, { nodes_hitrates: [] })).cover], []);
  t.same([...readTrees(nodeOf(NODES, { nodes_missing_value_tracks_true: [] })).missing_yes], [0, 0, 0, 0, 0, 0]);
  t.same([...readTrees(nodeOf(NODES, { aggregate_function: ['AVERAGE'] })).weight], [0, 5, 0, 10, 15, 2.5]);
  const cases: [string, Record<string, readonly (number | string)[]>, RegExp][] = [
    ['a circle', { nodes_truenodeids: [1, 0, 2, 0, 0, 0] }, /tree 0 is no tree/],
    ['two parents', { nodes_truenodeids: [1, 0, 1, 0, 0, 0] }, /tree 0 is no tree/],
    ['a child that is not there', { nodes_falsenodeids: [2, 0, 9, 0, 0, 0] }, /tree 0 is no tree/],
    ['a mode of another kind', { nodes_modes: ['BRANCH_EQ', 'LEAF', 'BRANCH_LT', 'LEAF', 'LEAF', 'LEAF'] }, /branch by BRANCH_EQ/],
    ['a mode too few', { nodes_modes: ['LEAF'] }, /6 nodes, 6 numbers and 1 modes/],
    ['a weight of nothing', { target_nodeids: [1, 3, 4, 7] }, /node 7 of tree 1, which is not there/],
    ['several outputs', { n_targets: [3] }, /3 outputs/],
    ['another sum', { aggregate_function: ['MAX'] }, /put together by MAX/],
  ];
  for (const [name, changes, message] of cases) t.throws(() => readTrees(nodeOf(NODES, changes)), { message }, name);
});
