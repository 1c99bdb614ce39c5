import { clickHouseError, isPassing, type ClickHouseClient } from '../../runtime/clickhouse.js';
import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { LabelState } from './labels.js';
import { fillPerformance, type PerformanceFill } from './performance.js';
import { HOUR_MS } from './policy.js';
import { rowsOf } from './rows.js';

/** A statement over two million predictions on a busy machine. */
export const STATEMENT_MS_MAX = 600_000;
/** Labels come and change between the ends of windows, too (outcomes, late events): every so many polls they are looked for. */
const POLLS_BETWEEN_CORRECTIONS = 60;

export interface FillerOptions {
  readonly settings: Settings;
  /** With a time-out of `STATEMENT_MS_MAX`; the caller closes it after `pause`. */
  readonly client: ClickHouseClient;
  readonly view: FeatureView;
  readonly log: Log;
  /** What is to be done with the labels at each run, whether or not there are new ones. */
  then?(labels: LabelState, signal: AbortSignal): Promise<void>;
  /** After each run that had something to fill; undefined: it failed. */
  filled(fill: PerformanceFill | undefined, tookMs: number): void;
  readonly now?: () => number;
}

/**
 * Keeps labels and performance up to date beside the looks, which never wait for it: one run at a time, begun by the process
 * that decides, ended between two statements when that is another one. ClickHouse away: tried again at the next poll.
 */
export interface PerformanceFiller {
  /** Begins a run if one is due; returns at once. */
  poke(): void;
  /** The next run need not wait for the poll. */
  again(): void;
  /** Ends the run under way after its statement. */
  pause(): void;
  readonly position: { readonly watermark: number; readonly labelled_to: number; readonly running: boolean; readonly trouble: string | undefined; readonly runs: number };
}

export function createPerformanceFiller({ settings, client, view, log, filled, then, now = Date.now }: FillerOptions): PerformanceFiller {
  let [watermark, labelled_to, runs] = [0, 0, 0];
  let [nextAt, correctAt] = [0, 0];
  let trouble: string | undefined;
  let run: AbortController | undefined;

  const width = settings.PERFORMANCE_WINDOW_H * HOUR_MS;
  const labelLag = settings.LABEL_HORIZON_DAYS * 24 * HOUR_MS + settings.LABEL_LATENESS_H * HOUR_MS;
  /** Whether the watermark, or the labels behind it, have passed the end of a window since the last run. */
  const endsWindow = (at: number): boolean => [0, labelLag].some((lag) => Math.floor((at - lag) / width) !== Math.floor((watermark - lag) / width));

  async function fill(signal: AbortSignal): Promise<void> {
    const [row] = await rowsOf<{ at: string }>(client, 'SELECT toUnixTimestamp64Milli(watermark) AS at FROM label_watermark');
    if (!endsWindow(Number(row?.at)) && now() < correctAt) return;
    const startedAt = performance.now();
    try {
      const done = await fillPerformance(client, settings, view, signal);
      ({ watermark, labelled_to } = done);
      correctAt = now() + POLLS_BETWEEN_CORRECTIONS * settings.DRIFT_POLL_MS;
      runs++;
      const tookMs = performance.now() - startedAt;
      filled(done, tookMs);
      if (done.realised.length + done.estimated.length > 0)
        log.info('performance_filled', { labelled_to: new Date(labelled_to).toISOString(), realised: done.realised.length, estimated: done.estimated.length, took_ms: Math.round(tookMs) });
    } catch (error) {
      if (!signal.aborted) filled(undefined, performance.now() - startedAt);
      throw error;
    }
  }

  return {
    get position() { return { watermark, labelled_to, running: run !== undefined, trouble, runs }; },
    poke() {
      if (run !== undefined || now() < nextAt) return;
      const own = new AbortController();
      run = own;
      fill(own.signal).then(() => (labelled_to > 0 ? then?.({ watermark, labelled_to }, own.signal) : undefined)).then(
        () => { trouble = undefined; },
        (error: unknown) => {
          if (own.signal.aborted) return;
          const failure = clickHouseError(settings, 'performance', error);
          trouble = messageOf(failure);
          if (isPassing(failure)) log.warn('performance_waits', { message: trouble });
          else log.error('performance_waits', failure);
        },
      ).finally(() => {
        nextAt = now() + settings.DRIFT_POLL_MS;
        run = undefined;
      });
    },
    again() { nextAt = 0; },
    pause() { run?.abort(); },
  };
}
