/** What the user allows: how often nothing may be taken for something. */
export interface Budget {
  /** At most one false alarm in so many days of event time. */
  readonly falseAlarmDays: number;
  /** Time between two looks. */
  readonly stepDays: number;
}

/** How a look's share of the budget is spent. Weights that sum to 1 keep the bound whatever they are (Genovese, Roeder and Wasserman 2006). */
export const SHARES = { all: 0.5, segments: 0.25, performance: 0.25 } as const;

/** Of the share of all rows, what the tests of all features together have: one of them stands for as many as there are features. */
export const TOGETHER = 0.2;

/** Probability of a false alarm that one look may have: over `falseAlarmDays` these add up to one. */
export const alphaOfLook = ({ falseAlarmDays, stepDays }: Budget): number => Math.min(0.5, stepDays / falseAlarmDays);

/**
 * The level of each test of a look, Bonferroni within its share: valid whatever the tests have in common, and features of
 * one customer have much in common.
 * @param tests how many tests of all rows, of all features together, and of segments, this look makes
 */
export function levels(budget: Budget, tests: { all: number; together: number; segments: number }): { all: number; together: number; segments: number } {
  const alpha = alphaOfLook(budget);
  const shared = alpha * (SHARES.all + (tests.segments === 0 ? SHARES.segments : 0));
  const together = tests.together === 0 ? 0 : tests.all === 0 ? 1 : TOGETHER;
  return {
    all: (shared * (1 - together)) / Math.max(1, tests.all),
    together: (shared * together) / Math.max(1, tests.together),
    segments: (alpha * SHARES.segments) / Math.max(1, tests.segments),
  };
}
