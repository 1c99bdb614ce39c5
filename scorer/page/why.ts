import type { FeatureView } from '../../schemas/features/declaration.js';
import type { LoadedModel } from '../model/load.js';

/** A feature that changed between two scores, and how far its change alone moves the model's score. */
export interface Reason {
  readonly feature: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly effect: number;
}

const REASONS_MAX = 3;
/** Smaller effects say nothing. */
const EFFECT_MIN = 0.005;
const known = (value: number): number | null => (Number.isFinite(value) ? value : null);

/**
 * Which changed features moved a score, by asking the model: the former vector with one feature's new value at a time.
 * Effects of features that act together do not add up; the order is what an operator needs.
 * @returns the largest effects first; nothing where no change alone moves the score
 */
export function reasonsOf({ features }: FeatureView, { session }: LoadedModel, before: readonly number[], after: readonly number[]): Reason[] {
  const changed = features.map((_, i) => i).filter((i) => !Object.is(before[i], after[i]));
  const width = features.length;
  const matrix = new Float32Array((changed.length + 1) * width);
  for (let row = 0; row <= changed.length; row++) matrix.set(before, row * width);
  changed.forEach((feature, i) => { matrix[(i + 1) * width + feature] = after[feature] as number; });
  const scores = new Float64Array(changed.length + 1);
  session.score(matrix, changed.length + 1, scores, 0);
  return changed
    .map((i, at) => ({ feature: features[i]!.name, before: known(before[i]!), after: known(after[i]!), effect: scores[at + 1]! - scores[0]! }))
    .filter(({ effect }) => Math.abs(effect) >= EFFECT_MIN)
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
    .slice(0, REASONS_MAX);
}
