import { compileTreeShap } from '../../scorer/explain/core/tree-shap.js';
import { LEAF, type Trees } from '../../schemas/onnx/trees.js';
import { seeded, type Random } from '../support/random.js';

/** Time of one explanation by the size of the model: complete trees of a depth, 20 features, a tenth of the values missing. */
const FEATURES = 20;
const ROWS = 512;

function completeTrees(random: Random, count: number, depth: number): Trees {
  const size = 2 ** (depth + 1) - 1;
  const nodes = count * size;
  const trees: Trees = {
    roots: Int32Array.from({ length: count }, (_, i) => i * size), mode: new Uint8Array(nodes), feature: new Int32Array(nodes), threshold: new Float32Array(nodes), yes: new Int32Array(nodes).fill(-1), no: new Int32Array(nodes).fill(-1),
    missing_yes: new Uint8Array(nodes), cover: new Float64Array(nodes), weight: new Float64Array(nodes), base: 0,
  };
  let next = 0;
  const grow = (left: number, cover: number): number => {
    const at = next++;
    trees.mode[at] = left === 0 ? LEAF : 0;
    trees.feature[at] = random.below(FEATURES);
    trees.threshold[at] = random();
    trees.missing_yes[at] = random.below(2);
    trees.cover[at] = cover;
    trees.weight[at] = left === 0 ? random.normal() : 0;
    if (left === 0) return at;
    const share = 0.1 + 0.8 * random();
    trees.yes[at] = grow(left - 1, cover * share);
    trees.no[at] = grow(left - 1, cover * (1 - share));
    return at;
  };
  for (let tree = 0; tree < count; tree++) grow(depth, 10_000);
  return trees;
}

for (const [count, depth] of [[200, 4], [200, 6], [500, 6], [200, 9]] as const) {
  const random = seeded(count + depth);
  const startedAt = performance.now();
  const shap = compileTreeShap(completeTrees(random, count, depth));
  const compileMs = performance.now() - startedAt;
  const rows = Float32Array.from({ length: ROWS * FEATURES }, () => (random.chance(0.1) ? NaN : random()));
  const out = new Float64Array(FEATURES);
  let best = Infinity;
  for (let pass = 0; pass < 4; pass++) {
    const from = performance.now();
    for (let row = 0; row < ROWS; row++) shap.addTo(rows, row * FEATURES, out);
    best = Math.min(best, (performance.now() - from) / ROWS);
  }
  console.log(JSON.stringify({ bench: 'explain', trees: count, depth, us: Math.round(best * 1000), ready_ms: Math.round(compileMs) }));
}
