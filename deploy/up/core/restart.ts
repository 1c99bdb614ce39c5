export interface RestartPolicy {
  /** Exits older than this no longer count, milliseconds. */
  readonly window_ms: number;
  /** The exit within the window at which the supervisor gives up. */
  readonly exits_max: number;
  readonly delay_ms_min: number;
  readonly delay_ms_max: number;
}

export const RESTART_POLICY: RestartPolicy = { window_ms: 180_000, exits_max: 6, delay_ms_min: 250, delay_ms_max: 15_000 };

export type RestartDecision =
  | { readonly action: 'restart'; readonly delay_ms: number; readonly exits: readonly number[] }
  | { readonly action: 'give_up'; readonly exits: readonly number[] };

/**
 * What to do about a part that just ended: start it again after a delay that doubles with each recent exit, or give up.
 * @param exits times of its earlier unplanned exits, epoch milliseconds
 * @returns the decision and the exits to remember
 */
export function decideRestart(exits: readonly number[], nowMs: number, policy: RestartPolicy = RESTART_POLICY): RestartDecision {
  const recent = [...exits.filter((time) => nowMs - time < policy.window_ms), nowMs];
  if (recent.length >= policy.exits_max) return { action: 'give_up', exits: recent };
  return { action: 'restart', delay_ms: Math.min(policy.delay_ms_max, policy.delay_ms_min * 2 ** (recent.length - 1)), exits: recent };
}
