import type { PartitionStore } from './state/store.js';
import { isDue } from './core/sweep-due.js';

export interface SweepOptions {
  readonly store: PartitionStore;
  readonly intervalMs: number;
  readonly silenceMs: number;
  readonly rowsPerS: number;
  /** The clock of a pass that begins now, epoch ms. */
  clock(): number;
  /** Largest event time in an encoded state, epoch ms. */
  eventTimeOf(state: Buffer): number;
}

/** Customers looked at in one step: bounds the time that a step takes on the main thread. */
const SCAN_ROWS = 2000;

/** Passes over a partition's customers in key order and refreshes those whose silence has grown, a bounded piece at a time. */
export class Sweep {
  private cursor: string | undefined;
  private passClockMs = 0;
  private passStartedAt: number;
  private running = false;
  private allowance = 0;
  private allowanceAt = 0;
  /** Clock of the last whole pass; the owner keeps it with the store's position. */
  completedClockMs: number;

  constructor(private readonly options: SweepOptions, completedClockMs: number, nowMs: number) {
    this.completedClockMs = completedClockMs;
    this.passStartedAt = nowMs;
  }

  /**
   * One piece of the pass, when there is one to make.
   * @param refresh writes the refreshed features of one customer
   * @returns customers refreshed
   */
  step(nowMs: number, refresh: (customerId: string, state: Buffer, clockMs: number) => void): number {
    const { intervalMs, store, silenceMs, rowsPerS } = this.options;
    if (intervalMs === 0) return 0;
    if (!this.running) {
      if (nowMs - this.passStartedAt < intervalMs) return 0;
      this.passStartedAt = nowMs;
      this.passClockMs = this.options.clock();
      if (this.passClockMs <= this.completedClockMs) return 0; // a stream that stands still has nothing new
      this.running = true;
      this.cursor = undefined;
      this.allowance = 0;
      this.allowanceAt = nowMs;
    }
    this.allowance = Math.min(rowsPerS, this.allowance + ((nowMs - this.allowanceAt) / 1000) * rowsPerS);
    this.allowanceAt = nowMs;
    let refreshed = 0;
    let seen = 0;
    for (const { key, value } of store.scan(this.cursor, SCAN_ROWS)) {
      if (isDue(this.options.eventTimeOf(value), this.passClockMs, this.completedClockMs, silenceMs)) {
        if (this.allowance < 1) return refreshed;
        this.allowance--;
        refresh(key, value, this.passClockMs);
        refreshed++;
      }
      this.cursor = key;
      seen++;
    }
    if (seen < SCAN_ROWS) {
      this.running = false;
      this.completedClockMs = this.passClockMs;
    }
    return refreshed;
  }
}
