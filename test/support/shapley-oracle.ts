import { LEAF, MODES, type Trees } from '../../schemas/onnx/trees.js';
import type { Random } from './random.js';

/** Shapley values by their definition: every set of features, and of each the expectation of the trees' sum where the others are not known. */
export function shapleyByDefinition(trees: Trees, features: number, row: readonly number[]): { readonly base: number; readonly values: number[] } {
  const expectation = Array.from({ length: 2 ** features }, (_, known) => trees.roots.reduce((sum, root) => sum + expected(trees, root, row, known), trees.base));
  const size = (set: number): number => [...set.toString(2)].filter((bit) => bit === '1').length;
  const values = Array.from({ length: features }, (_, feature) => {
    let sum = 0;
    for (let set = 0; set < 2 ** features; set++) {
      if ((set >> feature) & 1) continue;
      sum += ((factorial(size(set)) * factorial(features - size(set) - 1)) / factorial(features)) * (expectation[set | (1 << feature)]! - expectation[set]!);
    }
    return sum;
  });
  return { base: expectation[0]!, values };
}

function expected(trees: Trees, node: number, row: readonly number[], known: number): number {
  if (trees.mode[node] === LEAF) return trees.weight[node]!;
  const [yes, no] = [trees.yes[node]!, trees.no[node]!];
  const feature = trees.feature[node]!;
  if ((known >> feature) & 1) return expected(trees, takesYes(trees, node, Math.fround(row[feature]!)) ? yes : no, row, known);
  return (trees.cover[yes]! * expected(trees, yes, row, known) + trees.cover[no]! * expected(trees, no, row, known)) / trees.cover[node]!;
}

/** Which way a row goes at an inner node. */
export function takesYes({ mode, threshold, missing_yes }: Trees, node: number, value: number): boolean {
  if (Number.isNaN(value)) return missing_yes[node] === 1;
  const at = threshold[node]!;
  return { BRANCH_LT: value < at, BRANCH_LEQ: value <= at, BRANCH_GT: value > at, BRANCH_GTE: value >= at }[MODES[mode[node]!]!];
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** Trees grown at random: few features, so that they come back on a path; some ways that no row took. */
export function randomTrees(random: Random, options: { trees: number; depth: number; features: number }): Trees {
  const nodes: { mode: number; feature: number; threshold: number; yes: number; no: number; missing_yes: number; cover: number; weight: number }[] = [];
  const roots: number[] = [];
  const grow = (depth: number, cover: number): number => {
    const at = nodes.length;
    const leaf = depth === 0 || cover < 2 || random.chance(0.15);
    nodes.push({ mode: leaf ? LEAF : random.below(MODES.length), feature: leaf ? 0 : random.below(options.features), threshold: Math.fround(random.below(5)), yes: -1, no: -1, missing_yes: random.below(2), cover, weight: leaf ? random.normal() : 0 });
    if (leaf) return at;
    const left = random.chance(0.1) ? 0 : Math.round(cover * random());
    nodes[at]!.yes = grow(left === 0 ? 0 : depth - 1, left);
    nodes[at]!.no = grow(depth - 1, cover - left);
    return at;
  };
  for (let tree = 0; tree < options.trees; tree++) roots.push(grow(options.depth, 1000));
  const column = <K extends keyof (typeof nodes)[number]>(name: K): number[] => nodes.map((node) => node[name]);
  return {
    roots: Int32Array.from(roots), mode: Uint8Array.from(column('mode')), feature: Int32Array.from(column('feature')), threshold: Float32Array.from(column('threshold')),
    yes: Int32Array.from(column('yes')), no: Int32Array.from(column('no')), missing_yes: Uint8Array.from(column('missing_yes')),
    cover: Float64Array.from(column('cover')), weight: Float64Array.from(column('weight')), base: random.normal(),
  };
}
