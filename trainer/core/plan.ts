const DAY_MS = 86_400_000;
/**
 * Share of the usable time that becomes the holdout, and its bound in horizons: what is held out is not learnt, and a model of
 * three years that had not seen the last nine months would never catch up with a change.
 */
const HOLDOUT = { share: 0.25, share_max: 0.5, horizons_max: 4 };
/** The first tenth of a history knows too little of its customers; a month is enough of a long one. */
const WARM_UP = { share: 0.1, days_max: 30 };
const USABLE_DAYS_MIN = 7;
/** About so many snapshots of a customer, daily to weekly. */
const SNAPSHOTS = { wanted: 30, step_days_max: 7 };

/** Moments after `after` and up to `to`, epoch milliseconds. */
export interface Period {
  readonly after: number;
  readonly to: number;
}

/**
 * Which moments are trained on and which are held out. Rows of a period are labelled by the horizon after them, so train,
 * gap and holdout keep a horizon between each other: no purchase decides a label on both sides.
 */
export interface SnapshotPlan {
  readonly train: Period;
  readonly holdout: Period;
  /** Time between two snapshots of a customer. */
  readonly step_ms: number;
  readonly horizon_ms: number;
}

/** What is there and what would do, in words and days. */
export interface Shortage {
  readonly shortage: string;
}

export interface PlanInput {
  /** First and latest event time landed, epoch milliseconds. */
  readonly first: number;
  readonly watermark: number;
  readonly horizon_days: number;
  /** 0: follows from the length of the history. */
  readonly step_days: number;
  /** Length of the holdout; 0: follows from the length of the history. */
  readonly holdout_days: number;
}

/** Divides a history by time: warm-up, training, a gap of one horizon, holdout, one horizon that is not matured. */
export function planSnapshots({ first, watermark, horizon_days, step_days, holdout_days }: PlanInput): SnapshotPlan | Shortage {
  const horizon_ms = horizon_days * DAY_MS;
  const history_ms = watermark - first;
  const from = first + Math.floor(Math.min(WARM_UP.share * history_ms, WARM_UP.days_max * DAY_MS));
  const matured = watermark - horizon_ms;
  const usable_ms = matured - from - horizon_ms;
  if (!(usable_ms >= USABLE_DAYS_MIN * DAY_MS)) {
    const rest = 2 * horizon_days + USABLE_DAYS_MIN;
    const needed = Math.ceil(Math.min(rest / (1 - WARM_UP.share), rest + WARM_UP.days_max));
    return { shortage:
      `${(history_ms / DAY_MS).toFixed(1)} days of events (${iso(first)} to ${iso(watermark)}), a horizon of ${horizon_days} days needs ${needed}: ` +
      'one horizon to label the latest rows, one as a gap before the holdout, and a week of rows; land more history or lower LABEL_HORIZON_DAYS' };
  }
  const step = step_days > 0 ? step_days : Math.min(SNAPSHOTS.step_days_max, Math.max(1, Math.round(usable_ms / DAY_MS / SNAPSHOTS.wanted)));
  const holdout_ms = holdout_days > 0 ? Math.min(holdout_days * DAY_MS, HOLDOUT.share_max * usable_ms) : Math.min(HOLDOUT.share * usable_ms, HOLDOUT.horizons_max * horizon_ms);
  const holdoutFrom = matured - Math.floor(holdout_ms);
  const train = { after: from, to: holdoutFrom - horizon_ms };
  return { train, holdout: { after: holdoutFrom, to: matured }, step_ms: step * DAY_MS, horizon_ms };
}

export const isShortage = (plan: SnapshotPlan | Shortage): plan is Shortage => 'shortage' in plan;
export const within = (period: Period, at: number): boolean => at > period.after && at <= period.to;
const iso = (time: number): string => new Date(time).toISOString().slice(0, 10);
