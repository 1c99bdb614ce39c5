import type { Standings } from './core/standings.js';
import { fits } from './core/filter.js';
import type { Feed, Snapshot } from './feed.js';
import type { Reading } from './update.js';

export interface SnapshotSources {
  readonly standings: Standings;
  latest(customerId: string): Buffer | undefined;
  read(framed: Buffer): Reading;
  /** Most rows where the filter names no customers. */
  readonly rowsMax: number;
}

/** Most customers that are looked at for rows that fit, where the filter names none. */
const CANDIDATES_MAX = 1000;

/**
 * The latest score of each customer that a subscription is about: of all that it names, or of those with the highest scores.
 * A row is read when it is sent: it costs no memory while the connection is full, and is never older than a score that
 * follows. Only scores that fit the filter are rows; with a crossing, those of customers above it.
 */
export function takeSnapshot(feed: Feed, position: string, { standings, latest, read, rowsMax }: SnapshotSources): Snapshot {
  const { customers } = feed.filter;
  const candidates = customers !== null ? customers.values() : rowsMax === 0 ? [].values() : standings.ranked().slice(0, CANDIDATES_MAX).values();
  const most = customers === null ? rowsMax : customers.size;
  let rows = 0;

  return {
    position,
    get rows() { return rows; },
    next() {
      if (rows >= most) return undefined;
      for (let found = candidates.next(); found.done !== true; found = candidates.next()) {
        const id: string = found.value;
        const framed = feed.waiting.has(id) ? undefined : latest(id);
        if (framed === undefined) continue;
        const { facts, body } = read(framed);
        if (!fits(feed.filter, facts) || feed.watch?.isAbove(id, facts.score) === false) continue;
        rows++;
        return body;
      }
      return undefined;
    },
  };
}
