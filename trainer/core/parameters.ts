/** How a model is trained, under XGBoost's own names where it has them. */
export interface TrainingParameters {
  readonly rounds_max: number;
  /** Rounds without a better log loss on the inner holdout after which training ends. */
  readonly early_stopping_rounds: number;
  readonly seed: number;
  /** Depths to choose from by the inner holdout; the first where there is none. */
  readonly depths: readonly number[];
  readonly booster: Readonly<Record<string, number>>;
}

/** Bounds of what may be given by hand; everything else of XGBoost is as in `boosterDefaults`. */
const TUNABLE: Readonly<Record<string, readonly [min: number, max: number]>> = {
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
const OWN: Readonly<Record<string, readonly [min: number, max: number]>> = { rounds_max: [1, 5000], early_stopping_rounds: [1, 1000], seed: [0, 2 ** 31 - 1] };
const WHOLE = new Set(['max_depth', 'max_bin', 'rounds_max', 'early_stopping_rounds', 'seed']);

/**
 * A low rate and heavy leaves: rows of one customer at many moments resemble each other, and finer trees learn customers by
 * heart. How deep trees may go for it differs with the history: purchases alone want 2, many kinds of events 4 and more. The leaf weight follows the rows, so that a small history can still be split.
 */
const boosterDefaults = (rows: number): Record<string, number> => ({
  learning_rate: 0.05,
  min_child_weight: Math.min(50, Math.max(1, Math.round(rows * 0.003))),
  subsample: 0.8,
  colsample_bytree: 0.8,
  reg_lambda: 1,
});
const DEPTHS = [2, 4];
const OWN_DEFAULTS = { rounds_max: 500, early_stopping_rounds: 30, seed: 7 };
/** Where the history is too short to choose by early stopping. */
export const ROUNDS_UNTUNED = 100;

/** @returns the parameters for so many training rows, or what is wrong with those given */
export function resolveParameters(rows: number, given: Readonly<Record<string, number>> = {}): TrainingParameters | { readonly problems: string[] } {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const range = Object.hasOwn(TUNABLE, name) ? TUNABLE[name] : Object.hasOwn(OWN, name) ? OWN[name] : undefined;
    if (range === undefined) problems.push(`${name}: unknown, expected one of ${[...Object.keys(OWN), ...Object.keys(TUNABLE)].join(', ')}`);
    else if (!(value >= range[0] && value <= range[1])) problems.push(`${name}: ${value}, expected ${range[0]} to ${range[1]}`);
    else if (WHOLE.has(name) && !Number.isInteger(value)) problems.push(`${name}: ${value}, expected a whole number`);
  }
  if (problems.length > 0) return { problems };
  const own = { ...OWN_DEFAULTS };
  const booster = boosterDefaults(rows);
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(OWN, name)) own[name as keyof typeof own] = value;
    else booster[name] = value;
  }
  const { max_depth, ...rest } = booster;
  return { ...own, depths: max_depth === undefined ? DEPTHS : [max_depth], booster: rest };
}
