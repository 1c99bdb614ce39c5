/** What the user allows: how often nothing may be taken for something. */
export interface Budget {
  /** At most one false alarm in so many days of event time. */
  readonly falseAlarmDays: number;
  /** Time between two looks. */
  readonly stepDays: number;
}

/** How a look's share of the budget is spent. Weights that sum to 1 keep the bound whatever they are (Genovese, Roeder and Wasserman 2006). */
export const SHARES = { all: 0.5, segments: 0.25, performance: 0.25 } as const;

/** Probability of a false alarm that one look may have: over `falseAlarmDays` these add up to one. */
export const alphaOfLook = ({ falseAlarmDays, stepDays }: Budget): number => Math.min(0.5, stepDays / falseAlarmDays);

/**
 * The level of each test of a look, Bonferroni within its share: valid whatever the tests have in common, and features of
 * one customer have much in common.
 * @param tests how many tests of all rows, and of segments, this look makes
 */
export function levels(budget: Budget, tests: { all: number; segments: number }): { all: number; segments: number } {
  const alpha = alphaOfLook(budget);
  const shared = SHARES.all + (tests.segments === 0 ? SHARES.segments : 0);
  return { all: (alpha * shared) / Math.max(1, tests.all), segments: (alpha * SHARES.segments) / Math.max(1, tests.segments) };
}
