import { gaussLegendre } from './quadrature.js';
import { LEAF, UnknownForm, type Trees } from '../../../schemas/onnx/trees.js';

/** Exact contributions of one row at a time. */
export interface TreeShap {
  /** The margin of a row of which nothing is known: every way weighed by its cover. */
  readonly expected: number;
  /**
   * Adds to `out` what each feature contributes to the margin, beside `expected`.
   * @param row values from `at` on, as the trees' own columns: float32, NaN is missing
   */
  addTo(row: Float32Array, at: number, out: Float64Array): void;
}

/** Of one tree: doubles that a node has for each point. */
const STRIDE = 4;
const TABLE_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Path-dependent TreeSHAP (Lundberg et al. 2018), as XGBoost's pred_contribs: a feature that is not known takes both ways,
 * weighed by cover. A leaf's game is a product over the features of its path, o·t + z·(1 - t) in the generating polynomial:
 * o is whether the row goes that way, z the share of rows that do. Shapley's weights s!(m-1-s)!/m! are the integral of
 * t^s·(1-t)^(m-1-s), so a feature's value is (o - z) times the integral of the other features' product, and the integral of
 * a polynomial is a sum over few points, exactly (Gauss and Legendre). The products go down the tree and their sums over
 * leaves come up (as in Yu et al. 2022, Linear TreeShap): a constant number of steps a node, instead of depth squared a leaf.
 */
export function compileTreeShap(trees: Trees): TreeShap {
  const compiled = Array.from(trees.roots, (from, i) => compileTree(trees, from, trees.roots[i + 1] ?? trees.mode.length));
  const bytes = compiled.reduce((sum, { table }) => sum + table.byteLength, 0);
  if (bytes > TABLE_BYTES_MAX) throw new UnknownForm(`its trees are too deep: ${bytes} bytes of tables, at most ${TABLE_BYTES_MAX}`);
  const scratch = scratchFor(compiled);
  return {
    expected: compiled.reduce((sum, { mean }) => sum + mean, trees.base),
    addTo(row, at, out) {
      for (const tree of compiled) addTree(trees, tree, scratch, row, at, out);
    },
  };
}

interface CompiledTree {
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  readonly points: number;
  /** Of each node without its root: parent, and the nearest node above whose way hangs on the same feature (-1: none); counted from `from`. */
  readonly parent: Int32Array;
  readonly same: Int32Array;
  /** Part of z that a node itself brings, where its feature was decided against the row before. */
  readonly ratio: Float64Array;
  /**
   * Of each node and point: what the product is multiplied by where the row goes this way, where it does not, and what the
   * sum over the leaves below contributes in each case.
   */
  readonly table: Float64Array;
}

function compileTree(trees: Trees, from: number, to: number): CompiledTree {
  const count = to - from;
  const parent = new Int32Array(count).fill(-1);
  const same = new Int32Array(count).fill(-1);
  const share = new Float64Array(count).fill(1);
  const ratio = new Float64Array(count).fill(1);
  const known = new Int32Array(count);
  const mean = Float64Array.from({ length: count }, (_, i) => trees.weight[from + i]!);
  for (let p = 0; p < count; p++) {
    if (trees.mode[from + p] === LEAF) continue;
    const feature = trees.feature[from + p]!;
    let above = p;
    while (parent[above]! >= 0 && trees.feature[from + parent[above]!] !== feature) above = parent[above]!;
    const before = parent[above]! >= 0 ? above : -1;
    for (const child of [trees.yes[from + p]! - from, trees.no[from + p]! - from]) {
      parent[child] = p;
      same[child] = before;
      ratio[child] = trees.cover[from + child]! / trees.cover[from + p]!;
      share[child] = ratio[child]! * (before < 0 ? 1 : share[before]!);
      known[child] = known[p]! + (before < 0 ? 1 : 0);
    }
  }
  for (let p = count - 1; p >= 0; p--)
    if (trees.mode[from + p] !== LEAF) mean[p] = mean[trees.yes[from + p]! - from]! * ratio[trees.yes[from + p]! - from]! + mean[trees.no[from + p]! - from]! * ratio[trees.no[from + p]! - from]!;
  const points = Math.max(1, Math.ceil(known.reduce((most, n) => Math.max(most, n), 0) / 2));
  return { from, to, mean: mean[0]!, points, parent, same, ratio, table: tableOf(points, same, share) };
}

function tableOf(n: number, same: Int32Array, share: Float64Array): Float64Array {
  const { points, weights } = gaussLegendre(n);
  const table = new Float64Array(same.length * n * STRIDE);
  for (let node = 1, at = n * STRIDE; node < same.length; node++) {
    const z = share[node]!;
    const before = same[node]!;
    for (let q = 0; q < n; q++, at += STRIDE) {
      const t = points[q]!;
      const kept = t + z * (1 - t);
      const keptBefore = before < 0 ? 1 : t + share[before]! * (1 - t);
      const taken = before < 0 ? 0 : ((1 - share[before]!) * weights[q]!) / keptBefore;
      table[at] = kept / keptBefore;
      table[at + 1] = (z * (1 - t)) / keptBefore;
      table[at + 2] = ((1 - z) * weights[q]!) / kept - taken;
      table[at + 3] = -weights[q]! / (1 - t) - taken;
    }
  }
  return table;
}

interface Scratch {
  readonly product: Float64Array;
  readonly sum: Float64Array;
  /** Of each node whether the row goes there, as far as its feature is concerned. */
  readonly goes: Uint8Array;
  /** Of each inner node the child that the row takes. */
  readonly taken: Int32Array;
}

function scratchFor(compiled: readonly CompiledTree[]): Scratch {
  const nodes = compiled.reduce((most, { from, to }) => Math.max(most, to - from), 0);
  const cells = compiled.reduce((most, { from, to, points }) => Math.max(most, (to - from) * points), 0);
  return { product: new Float64Array(cells), sum: new Float64Array(cells), goes: new Uint8Array(nodes), taken: new Int32Array(nodes) };
}

function addTree({ mode, feature, threshold, yes, no, missing_yes, weight }: Trees, tree: CompiledTree, { product, sum, goes, taken }: Scratch, row: Float32Array, at: number, out: Float64Array): void {
  const { from, to, points: n, parent, same, ratio, table } = tree;
  const count = to - from;
  for (let q = 0; q < n; q++) product[q] = 1;
  goes[0] = 1;
  for (let node = 0; node < count; node++) {
    const i = from + node;
    const cell = node * n;
    if (node > 0) {
      const above = parent[node]!;
      const before = same[node]!;
      const could = before < 0 || goes[before] === 1;
      const does = could && taken[above] === node;
      goes[node] = does ? 1 : 0;
      const up = above * n;
      if (could) for (let q = 0, entry = cell * STRIDE + (does ? 0 : 1); q < n; q++, entry += STRIDE) product[cell + q] = product[up + q]! * table[entry]!;
      else for (let q = 0, by = ratio[node]!; q < n; q++) product[cell + q] = product[up + q]! * by;
    }
    if (mode[i] === LEAF) {
      for (let q = 0, by = weight[i]!; q < n; q++) sum[cell + q] = product[cell + q]! * by;
      continue;
    }
    for (let q = 0; q < n; q++) sum[cell + q] = 0;
    const value = row[at + feature[i]!]!;
    taken[node] = (value !== value ? missing_yes[i] === 1 : holds(mode[i]!, value, threshold[i]!)) ? yes[i]! - from : no[i]! - from;
  }
  for (let node = count - 1; node > 0; node--) {
    const cell = node * n;
    const up = parent[node]! * n;
    const does = goes[node] === 1;
    const before = same[node]!;
    let contribution = 0;
    // Decided against the row above already: nothing new.
    if (does || before < 0 || goes[before] === 1)
      for (let q = 0, entry = cell * STRIDE + (does ? 2 : 3); q < n; q++, entry += STRIDE) contribution += sum[cell + q]! * table[entry]!;
    out[feature[from + parent[node]!]!]! += contribution;
    for (let q = 0; q < n; q++) sum[up + q]! += sum[cell + q]!;
  }
}

/** In the order of MODES. */
const holds = (mode: number, value: number, threshold: number): boolean => (mode === 0 ? value < threshold : mode === 1 ? value <= threshold : mode === 2 ? value > threshold : value >= threshold);
