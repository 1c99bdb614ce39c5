import type { Hyper } from './search.js';

/** What is given by hand: the seed, and values that every trial of XGBoost keeps instead of searching. */
export interface GivenParameters {
  readonly seed: number;
  readonly fixed: Hyper;
}

const BOUNDS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  rounds_max: [1, 5000],
  early_stopping_rounds: [1, 1000],
  seed: [0, 2 ** 31 - 1],
  learning_rate: [1e-4, 1],
  max_depth: [1, 16],
  min_child_weight: [0, 1e9],
  subsample: [0.05, 1],
  colsample_bytree: [0.05, 1],
  colsample_bynode: [0.05, 1],
  reg_lambda: [0, 1e6],
  reg_alpha: [0, 1e6],
  gamma: [0, 1e6],
  max_bin: [2, 4096],
};
const WHOLE = new Set(['max_depth', 'max_bin', 'rounds_max', 'early_stopping_rounds', 'seed']);
export const SEED = 7;

/** @returns the parameters, or everything that is wrong with those given */
export function resolveParameters(given: Hyper = {}): GivenParameters | { readonly problems: string[] } {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const range = Object.hasOwn(BOUNDS, name) ? BOUNDS[name] : undefined;
    if (range === undefined) problems.push(`${name}: unknown, expected one of ${Object.keys(BOUNDS).join(', ')}`);
    else if (!(value >= range[0] && value <= range[1])) problems.push(`${name}: ${value}, expected ${range[0]} to ${range[1]}`);
    else if (WHOLE.has(name) && !Number.isInteger(value)) problems.push(`${name}: ${value}, expected a whole number`);
  }
  if (problems.length > 0) return { problems };
  const { seed = SEED, ...fixed } = given;
  return { seed, fixed };
}
