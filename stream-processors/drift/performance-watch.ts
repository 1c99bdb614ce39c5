import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Log } from '../../runtime/log.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import type { Settings } from '../../runtime/settings.js';
import type { RetrainEvidence } from '../../schemas/events/retrain-event.js';
import { rowsOf } from './aggregates.js';
import { championOf, gainOf, latestFigure, type Champion } from './champion.js';
import { expectedGain } from './core/expected-gain.js';
import type { Loss, PerformanceFigures } from './core/performance/judge.js';
import { formerWindows, lookAtPerformance, type PerformanceLookInput, type PerformanceLookResult } from './core/performance/look.js';
import { meanLoss, type PieceSums } from './core/performance/mean-loss.js';
import { promisedLoss } from './core/performance/promised.js';
import { NEW_WATCH, type Watch, type WatchMode } from './core/watch.js';
import type { LabelState } from './labels.js';
import { HOUR_MS, policyOf } from './policy.js';
import type { DriftStore } from './store.js';
import type { OtherReason } from './task.js';

const DAY_MS = 24 * HOUR_MS;
/** Rows of labelled predictions that one look reads: beyond it, whole customers are left out by a hash. */
const ROWS_MAX = 5_000_000;
const BUCKETS = 1024;
const SUMS = readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', 'performance_sums.sql'), 'utf8');

export interface PerformanceWatch extends OtherReason {
  /** Reads the state back; what was in memory is forgotten. */
  open(): void;
  /** Makes the next look where its window has labels: reads what it rests on, beside whatever else goes on. */
  prepare(labels: LabelState, signal: AbortSignal): Promise<void>;
  /** End of the last window looked at, 0 for none, and what it was taken for. */
  readonly position: { readonly window_to: number; readonly mode: string };
}

export interface PerformanceWatchOptions {
  /** For its own long statements, and for the short ones of the task. */
  readonly client: ClickHouseClient;
  readonly store: DriftStore;
  readonly settings: Settings;
  readonly log: Log;
  /** A look is done: there may be another one. */
  looked(mode: WatchMode): void;
}

type Prepared = Omit<PerformanceLookInput, 'watch' | 'cooldownUntil'>;

/** Watches the realised performance of the champion: looks at windows of predictions as they get their labels, window after window. */
export function watchPerformance({ client, store, settings, log, looked }: PerformanceWatchOptions): PerformanceWatch {
  const model = settings.MODEL_NAME;
  const policy = { ...policyOf(settings), lossIncreaseMin: settings.PERFORMANCE_LOSS_INCREASE_MIN };
  const { windowMs, stepMs } = policy;
  const horizonMs = settings.LABEL_HORIZON_DAYS * DAY_MS;
  // What is not a mean over rows has no variance by customers: it is declared for choosing models, and judged by the log loss.
  const loss: Loss = settings.TRAIN_METRIC === 'brier' ? 'brier' : 'log_loss';
  let version: string | undefined;
  let watch: Watch = NEW_WATCH;
  let [since, lastTo, epoch] = [0, 0, 0];
  let mode: WatchMode | 'waiting' = 'waiting';
  let ready: Prepared | undefined;
  let made: { input: Prepared; result: PerformanceLookResult } | undefined;

  async function take(champion: Champion): Promise<void> {
    const last = await store.lastPerformanceLook(model, champion.version);
    const [first] = await rowsOf<{ at: number }>(client, 'SELECT toUnixTimestamp(min(hour)) * 1000 AS at FROM prediction_hours WHERE model_version = {version:String} HAVING count() > 0', { version: champion.version });
    [watch, lastTo, since] = [last?.watch ?? NEW_WATCH, last?.to ?? 0, first === undefined ? Infinity : Math.ceil(first.at / stepMs) * stepMs];
    version = champion.version;
  }

  async function sumsOf(modelVersion: string, window: { from: number; to: number }, former: { from: number; to: number }, excluded: readonly { from: number; to: number }[]): Promise<PieceSums[]> {
    const about = { version: modelVersion, horizon_days: settings.LABEL_HORIZON_DAYS, from: window.from, to: window.to, former_from: Math.min(former.from, window.from), former_to: former.to };
    const [size] = await rowsOf<{ rows: number }>(client,
      "SELECT sum(rows) AS rows FROM prediction_hours WHERE model_version = {version:String} AND hour >= fromUnixTimestamp64Milli({former_from:Int64}) AND hour < fromUnixTimestamp64Milli({to:Int64})", about);
    const buckets = Math.max(1, Math.min(BUCKETS, Math.floor((BUCKETS * ROWS_MAX) / Math.max(1, size?.rows ?? 0))));
    return rowsOf<PieceSums>(client, SUMS, {
      ...about, metric: loss, width_ms: windowMs, buckets, excluded_from: excluded.map(({ from }) => from), excluded_to: excluded.map(({ to }) => to),
    });
  }

  /** What the scores say of the windows after those that have labels. */
  async function estimatedOf(champion: Champion, promised: PerformanceFigures['promised']): Promise<RetrainEvidence | null> {
    const estimate = await latestFigure(client, { kind: 'estimated', version: champion.version, metric: loss, horizon_days: settings.LABEL_HORIZON_DAYS, hours: settings.DRIFT_WINDOW_H });
    if (estimate === undefined || promised === null) return null;
    return { feature: 'performance', segment: '', statistic: `${loss} estimated`, value: estimate.value, threshold: promised.loss, p: null, n: estimate.n };
  }

  async function gain(champion: Champion, window: PieceSums | undefined, promised: PerformanceFigures['promised']): Promise<number | null> {
    if (loss !== settings.TRAIN_METRIC) return gainOf(client, settings, champion);
    return expectedGain(loss, window === undefined ? null : meanLoss(window).mean, promised?.loss ?? null);
  }

  return {
    get position() { return { window_to: lastTo, mode }; },
    open() {
      [version, ready, made] = [undefined, undefined, undefined];
      epoch++;
    },
    async prepare(labels, signal) {
      const own = epoch;
      if (ready !== undefined) return;
      const champion = await championOf(client, model);
      if (champion === undefined) return;
      if (champion.version !== version || since === Infinity) await take(champion);
      const to = lastTo > 0 ? lastTo + stepMs : since + windowMs;
      if (!(to <= labels.labelled_to)) return;
      signal.throwIfAborted();
      const window = { from: to - windowMs, to };
      const quarantines = await store.quarantines(model);
      const former = formerWindows(window, watch, since, policy.historyWindows);
      const sums = await sumsOf(champion.version, window, former, [...quarantines, ...watch.excluded]);
      const latest = sums.find(({ piece }) => piece === 0);
      const promised = latest === undefined ? null : promisedLoss(champion.metrics, loss, latest.events / latest.n);
      const input: Prepared = {
        model, modelVersion: champion.version, window, labelledAt: window.to + horizonMs + settings.LABEL_LATENESS_H * HOUR_MS, figures: { loss, sums, promised }, quarantines, policy, horizonMs,
        underWay: watch.alarm !== null && await store.underWay(model), expectedGain: await gain(champion, latest, promised), estimated: await estimatedOf(champion, promised),
      };
      // the partition may have moved on and come back meanwhile
      if (own === epoch) ready = input;
    },
    async ask(cooldownUntil) {
      if (ready === undefined) return undefined;
      made ??= { input: ready, result: lookAtPerformance({ ...ready, watch, cooldownUntil }) };
      return { drafts: made.result.event === undefined ? [] : [made.result.event] };
    },
    async told() {
      if (made === undefined) return;
      await store.writePerformanceLook(made.input, made.result);
      watch = made.result.watch;
      lastTo = made.input.window.to;
      mode = made.result.mode;
      log.info('performance_looked', { window_to: new Date(lastTo).toISOString(), version: made.input.modelVersion, mode, decision: made.result.decision });
      [ready, made] = [undefined, undefined];
      looked(mode);
    },
  };
}
