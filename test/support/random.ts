/** Deterministic numbers in [0, 1) from a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Random choices from a seed: the same seed gives the same test. */
export interface Random {
  /** From 0 up to, not including, 1. */
  (): number;
  readonly seed: number;
  /** A whole number from 0 up to, not including, n. */
  below(n: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Standard normal. */
  normal(): number;
}

export function seeded(seed: number): Random {
  const next = random(seed);
  const below = (n: number): number => Math.floor(next() * n);
  return Object.assign((): number => next(), {
    seed,
    below,
    pick: <T>(items: readonly T[]): T => items[below(items.length)]!,
    chance: (probability: number): boolean => next() < probability,
    exponential: (): number => -Math.log(1 - next()),
    normal: (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  });
}

/** The seed of a run: TEST_SEED to repeat one, a fixed one otherwise; a test prints it. */
export const seedOf = (preset: number): number => Number(process.env['TEST_SEED'] ?? preset);
