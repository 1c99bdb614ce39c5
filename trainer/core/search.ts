import { mix, seededRandom } from './random.js';

/** Hyperparameters of a family by name. */
export type Hyper = Readonly<Record<string, number>>;

/** Where a search looks for one of them: log is uniform in the logarithm, whole ones are rounded. */
export interface Dimension {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly scale: 'linear' | 'log';
  readonly whole?: boolean;
}

/**
 * The trials of a bounded random search (Bergstra and Bengio 2012): the starts first, then draws from the space. A draw
 * does not depend on how many follow, so that a longer search tries what a shorter one did.
 * @param fixed values that every trial keeps
 */
export function trialsOf(starts: readonly [Hyper, ...Hyper[]], space: readonly Dimension[], trials: number, seed: number, fixed: Hyper = {}): Hyper[] {
  return Array.from({ length: Math.max(1, trials) }, (_, trial) => {
    const start = starts[trial];
    if (start !== undefined) return { ...start, ...fixed };
    const next = seededRandom(mix(seed, trial));
    return { ...starts[0], ...Object.fromEntries(space.map((dimension) => [dimension.name, draw(dimension, next())])), ...fixed };
  });
}

function draw({ min, max, scale, whole = false }: Dimension, u: number): number {
  if (whole && scale === 'linear') return Math.min(max, min + Math.floor(u * (max - min + 1)));
  const value = scale === 'log' ? Math.exp(Math.log(min) + u * (Math.log(max) - Math.log(min))) : min + u * (max - min);
  // Six digits: what is printed is what was used.
  return whole ? Math.round(value) : Number(value.toPrecision(6));
}
