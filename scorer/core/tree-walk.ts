import { probabilityOf, type TreeModel } from '../../schemas/onnx/tree-model.js';
import { LEAF, MODES, UnknownForm, type Trees } from '../../schemas/onnx/trees.js';
import { floatAfter } from './floats.js';

/** Scores rows by a tree model's own arithmetic. */
export interface TreeWalk {
  /**
   * @param matrix row-major, `width` values a row; NaN is a missing value
   * @param out receives `rows` values of P(churn), from index `outAt` on
   */
  score(matrix: Float32Array, rows: number, out: Float64Array, outAt: number): void;
}

/** Trees that are walked side by side: their steps do not wait for each other. */
const TOGETHER = 4;
/** A node's second word: where its `no` child stands (`yes` stands next to it), and its slot of the row. */
const SLOT_BITS = 10;
const SLOTS = 2 ** SLOT_BITS;
export const SLOT_MASK = SLOTS - 1;
const NODES_MAX = 2 ** (32 - SLOT_BITS);
const [LEQ, GT] = [MODES.indexOf('BRANCH_LEQ'), MODES.indexOf('BRANCH_GT')];

/**
 * Trees as they are walked: every comparison is `value < threshold`, so that a step has no branch that a processor would have
 * to guess. `yes` stands one place behind `no`, a leaf leads to itself.
 */
export interface CompactTrees {
  /** Two words a node: its threshold or, of a leaf, what it adds; then its children and its slot of the row. */
  readonly values: Float32Array;
  readonly words: Int32Array;
  /** Where each tree begins: a multiple of TOGETHER, leaves of nothing behind the last. */
  readonly roots: Int32Array;
  /** Steps from the roots of TOGETHER trees to the deepest of their leaves. */
  readonly steps: Int32Array;
  readonly base: number;
}

/**
 * The row stands twice in slots, missing values once as the least and once as the greatest there is, and a node looks at the
 * one that takes its default direction. Sums are float32 in the trees' order, as ONNX Runtime's on one thread.
 * @param width values of a row
 */
export function createTreeWalk(trees: CompactTrees, width: number, { logistic, calibration }: Pick<TreeModel, 'logistic' | 'calibration'>): TreeWalk {
  const row = new Float32Array(2 * width + 1).fill(Number.NaN);
  return {
    score(matrix, rows, out, outAt) {
      for (let i = 0, from = 0; i < rows; i++, from += width) {
        for (let column = 0; column < width; column++) {
          const value = matrix[from + column] as number;
          const missing = value !== value;
          row[2 * column] = missing ? Infinity : value;
          row[2 * column + 1] = missing ? -Infinity : value;
        }
        const margin = Math.fround(sumOf(trees, row) + trees.base);
        out[outAt + i] = Math.fround(calibration.apply(Math.fround(probabilityOf(margin, logistic))));
      }
    },
  };
}

/** What the row's leaves add. Not a closure: all models of a process share its machine code, and it keeps their arrays in registers. */
function sumOf({ values, words, roots, steps }: CompactTrees, row: Float32Array): number {
  let sum = 0;
  for (let tree = 0, group = 0; tree < roots.length; tree += TOGETHER, group++) {
    let a = roots[tree] as number;
    let b = roots[tree + 1] as number;
    let c = roots[tree + 2] as number;
    let d = roots[tree + 3] as number;
    for (let step = steps[group] as number; step > 0; step--) {
      a = follow(values, words, row, a);
      b = follow(values, words, row, b);
      c = follow(values, words, row, c);
      d = follow(values, words, row, d);
    }
    sum = Math.fround(sum + (values[a] as number));
    sum = Math.fround(sum + (values[b] as number));
    sum = Math.fround(sum + (values[c] as number));
    sum = Math.fround(sum + (values[d] as number));
  }
  return sum;
}

function follow(values: Float32Array, words: Int32Array, row: Float32Array, at: number): number {
  const word = words[at + 1] as number;
  return ((word >>> SLOT_BITS) + Number((row[word & SLOT_MASK] as number) < (values[at] as number))) << 1;
}

/**
 * @param columns of the row, by the trees' numbers of them; undefined where those are the same
 * @throws UnknownForm where they cannot be walked so
 */
export function compactTrees(trees: Trees, columns: Float64Array | undefined, width: number): CompactTrees {
  const { roots, mode, feature, threshold, yes, no, missing_yes, weight } = trees;
  if (2 * width + 1 > SLOTS) throw new UnknownForm(`its rows have ${width} values`);
  const padded = Math.ceil(roots.length / TOGETHER) * TOGETHER;
  const nodes = mode.length + 1;
  if (nodes > NODES_MAX) throw new UnknownForm(`it has ${mode.length} nodes`);
  const bytes = new ArrayBuffer(8 * nodes);
  const [values, words] = [new Float32Array(bytes), new Int32Array(bytes)];
  const put = (place: number, value: number, child: number, slot: number): void => {
    values[2 * place] = value;
    words[2 * place + 1] = (child << SLOT_BITS) | slot;
  };
  // What stands in the place of trees that are not there.
  put(0, 0, 0, 2 * width);
  const starts = new Int32Array(padded);
  const steps = new Int32Array(padded / TOGETHER);
  let next = 1;
  roots.forEach((root, tree) => {
    const group = Math.floor(tree / TOGETHER);
    starts[tree] = 2 * next;
    let level = [{ node: root, place: next++ }];
    for (let depth = 0; level.length > 0; depth++) {
      steps[group] = Math.max(steps[group]!, depth);
      level = level.flatMap(({ node, place }) => {
        if (mode[node] === LEAF) {
          put(place, weight[node]!, place, 2 * width);
          return [];
        }
        const column = columns === undefined ? feature[node]! : columns[feature[node]!]!;
        if (!(column >= 0 && column < width) || !Number.isFinite(threshold[node]!)) throw new UnknownForm(`its node ${node} looks at column ${column} for ${threshold[node]}`);
        const [below, above] = [next, next + 1];
        next += 2;
        // v <= t is v < the float32 after t; v > t and v >= t are their opposites, with the ways exchanged.
        const turned = mode[node]! >= GT;
        const exact = mode[node] === LEQ || mode[node] === GT ? floatAfter(threshold[node]!) : threshold[node]!;
        put(place, exact, below, 2 * column + Number((missing_yes[node] === 1) !== turned));
        return [{ node: turned ? yes[node]! : no[node]!, place: below }, { node: turned ? no[node]! : yes[node]!, place: above }];
      });
    }
  });
  return { values, words, roots: starts, steps, base: Math.fround(trees.base) };
}
