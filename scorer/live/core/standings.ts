/**
 * The customers with the highest scores, within a bound, without holding all customers: those above a bar, which rises when
 * there are too many and is taken away when too few are left above it. Every customer that was scored above the bar since
 * it was last taken away is here.
 */
export interface Standings {
  /** A customer's latest score. */
  set(customerId: string, score: number): void;
  remove(customerId: string): void;
  has(customerId: string): boolean;
  /** Highest score first. */
  ranked(): string[];
  /** Scores above it are taken. */
  readonly bar: number;
  readonly size: number;
}

/** @param customersMax most customers that are held; when there are more, the lower half goes */
export function createStandings(customersMax: number): Standings {
  const scores = new Map<string, number>();
  const keep = Math.ceil(customersMax / 2);
  let bar = -1;
  const ranking = (): [string, number][] => [...scores].sort((a, b) => b[1] - a[1]);

  function raise(): void {
    const ranked = ranking();
    for (const [customerId] of ranked.splice(keep)) scores.delete(customerId);
    bar = (ranked.at(-1) as [string, number])[1];
  }
  function lower(): void {
    if (scores.size < keep / 2) bar = -1;
  }

  return {
    set(customerId, score) {
      if (scores.has(customerId) ? score >= bar : score > bar) {
        scores.set(customerId, score);
        if (scores.size > customersMax) raise();
      } else if (scores.delete(customerId)) lower();
    },
    remove(customerId) {
      if (scores.delete(customerId)) lower();
    },
    has: (customerId) => scores.has(customerId),
    ranked: () => ranking().map(([customerId]) => customerId),
    get bar() { return bar; },
    get size() { return scores.size; },
  };
}
