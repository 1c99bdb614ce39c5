/** Whether looking rows up costs less than it saves, from what both took lately. */
export interface Payback {
  /** Whether the next `rows` are to be looked up. */
  worthwhile(rows: number): boolean;
  /**
   * What became of rows that were looked up.
   * @param lookMs time spent on looking up and keeping
   * @param modelMs time that the model took for those that were not found
   */
  note(rows: number, hits: number, lookMs: number, modelMs: number): void;
  /** Nothing is known yet. */
  restart(): void;
}

/** Windows that pass unlooked after one that did not pay: what a look costs in vain is paid for a tenth of the rows. */
export const REST_WINDOWS = 9;

/** @param windowRows rows of a window, after each of which it is decided anew */
export function createPayback(windowRows: number): Payback {
  let [rows, hits, lookMs, modelMs] = [0, 0, 0, 0];
  let rest = 0;
  const begin = (): void => { rows = hits = lookMs = modelMs = 0; };
  return {
    worthwhile(next) {
      if (rest <= 0) return true;
      rest -= next;
      return false;
    },
    note(looked, found, lookedMs, scoredMs) {
      rows += looked;
      hits += found;
      lookMs += lookedMs;
      modelMs += scoredMs;
      if (rows < windowRows) return;
      // A hit saves what a row cost the model: hits × modelMs / misses against lookMs.
      if (hits * modelMs < lookMs * (rows - hits)) rest = REST_WINDOWS * windowRows;
      begin();
    },
    restart() {
      begin();
      rest = 0;
    },
  };
}
