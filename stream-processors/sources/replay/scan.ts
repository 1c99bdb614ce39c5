import { readItems, type Item } from './items.js';
import type { EventFile, FieldMap } from './rows.js';

export interface BadRow {
  readonly line: number;
  /** Field, rule, and what was got. */
  readonly problem: string;
}

/** What one pass over a file tells. */
export interface FileScan {
  readonly events: number;
  readonly bad_rows: number;
  /** The first few. */
  readonly bad_examples: readonly BadRow[];
  /** First and last event time, epoch milliseconds; NaN where there is no event. */
  readonly from_ms: number;
  readonly to_ms: number;
  /** Whether the file stands in event-time order already. */
  readonly sorted: boolean;
}

const EXAMPLES_MAX = 5;

export async function scanFile(file: EventFile, map: FieldMap, latestTimeMs: number, onRows: (rows: number) => void = () => undefined): Promise<FileScan> {
  let [events, bad, from, to, last, sorted] = [0, 0, Infinity, -Infinity, -Infinity, true];
  const examples: BadRow[] = [];
  for await (const items of readItems(file, map, latestTimeMs)) {
    for (const item of items) {
      if (item.event === undefined) {
        bad++;
        if (examples.length < EXAMPLES_MAX) examples.push({ line: item.line, problem: item.problem });
        continue;
      }
      events++;
      const time = item.time_ms;
      if (time < last) sorted = false;
      last = time;
      if (time < from) from = time;
      if (time > to) to = time;
    }
    onRows(events + bad);
  }
  return { events, bad_rows: bad, bad_examples: examples, from_ms: events > 0 ? from : NaN, to_ms: events > 0 ? to : NaN, sorted };
}

/** Event-time order; rows of one time keep the file's order. */
export const inOrder = (a: Item, b: Item): number => a.time_ms - b.time_ms || a.line - b.line;
