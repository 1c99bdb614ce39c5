/** Time that something may take of a process's whole: it fills as time passes and is spent by what it is for. */
export interface TimeBudget {
  /** Whether anything is left now. */
  left(nowMs: number): boolean;
  spend(ms: number): void;
}

/** Most that is saved up, milliseconds: the longest that one batch waits for what the budget is for, beside the last call. */
export const BUDGET_MS_MAX = 20;

/** @param share of the time that passes, 0 to 1 */
export function createBudget(share: number, savedMsMax = BUDGET_MS_MAX): TimeBudget {
  let balanceMs = savedMsMax;
  let since: number | undefined;
  return {
    left(nowMs) {
      if (since !== undefined) balanceMs = Math.min(savedMsMax, balanceMs + Math.max(0, nowMs - since) * share);
      since = nowMs;
      return share > 0 && balanceMs > 0;
    },
    spend(ms) { balanceMs -= ms; },
  };
}
