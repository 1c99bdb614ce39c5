/** Sums over customers, each with n labelled predictions and a loss of s in a piece of event time, n0 and s0 in the window: one row of performance_sums.sql. */
export interface PieceSums {
  /** 0: the window; 1, 2, …: those before it, going back; -1: all of these together. */
  readonly piece: number;
  readonly customers: number;
  /** Predictions after an event; the others were made in silence. */
  readonly events: number;
  readonly n: number;
  readonly s: number;
  readonly nn: number;
  readonly ns: number;
  readonly ss: number;
  readonly nn0: number;
  readonly ns0: number;
  readonly sn0: number;
  readonly ss0: number;
}

/**
 * The mean loss of a piece and its variance with customers as the independent units (cluster-robust: Liang and Zeger 1986): outcomes
 * of one customer within a horizon are nearly one outcome, however many predictions were made meanwhile.
 */
export function meanLoss({ customers, n, s, nn, ns, ss }: PieceSums): { mean: number; variance: number } {
  const mean = s / n;
  return { mean, variance: (Math.max(0, ss - 2 * mean * ns + mean * mean * nn) / (n * n)) * (customers / Math.max(1, customers - 1)) };
}

/** Covariance of the mean losses of a piece and of the window: the same customers stand in both, and horizons overlap. */
export function covariance(window: PieceSums, piece: PieceSums): number {
  const [m0, m] = [window.s / window.n, piece.s / piece.n];
  return (piece.ss0 - m0 * piece.sn0 - m * piece.ns0 + m0 * m * piece.nn0) / (window.n * piece.n);
}

/** What all customers share from one window to the next, beyond what customers' own luck explains (random effects: DerSimonian and Laird 1986). */
export function sharedVariance(pieces: readonly PieceSums[]): number {
  if (pieces.length < 2) return 0;
  const means = pieces.map(meanLoss);
  const middle = means.reduce((sum, { mean }) => sum + mean, 0) / means.length;
  const between = means.reduce((sum, { mean }) => sum + (mean - middle) ** 2, 0) / (means.length - 1);
  return Math.max(0, between - means.reduce((sum, { variance }) => sum + variance, 0) / means.length);
}
