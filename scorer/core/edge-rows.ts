import { floatAfter, floatBefore } from './floats.js';
import { SLOT_MASK, type CompactTrees } from './tree-walk.js';
import { xorshift } from './xorshift.js';

/**
 * Rows on which a misread comparison, default direction or column would show: their values stand on the trees' own
 * thresholds, one float32 beside them, between them, or are missing. The same at every start.
 * @param width values of a row
 */
export function edgeRows({ values, words, roots }: CompactTrees, width: number, rows: number): Float32Array {
  const thresholds = Array.from({ length: width }, (): number[] => []);
  for (let place = 1; place < words.length / 2; place++) thresholds[(words[2 * place + 1]! & SLOT_MASK) >> 1]?.push(values[2 * place]!);
  const random = xorshift(0x9e3779b9 ^ roots.length);
  const matrix = new Float32Array(rows * width);
  for (let i = 0; i < matrix.length; i++) {
    const known = thresholds[i % width]!;
    const value = known[Math.floor(random() * known.length)] ?? 0;
    const kind = Math.floor(random() * EDGES.length);
    matrix[i] = EDGES[kind]!(value, random);
  }
  return matrix;
}

const EDGES: readonly ((threshold: number, random: () => number) => number)[] = [
  (threshold) => threshold,
  floatAfter,
  floatBefore,
  (threshold, random) => threshold * (0.75 + random() / 2),
  (threshold, random) => threshold + random() - 0.5,
  () => Number.NaN,
];
