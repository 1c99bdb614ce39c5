/** What a row costs when so many are scored in one call. */
export interface RowCost {
  readonly rows: number;
  readonly us_per_row: number;
}

export interface ChunkLimits {
  /** How much dearer than the best a row may be: past the knee larger calls only add delay. */
  readonly tolerance: number;
  /** Fewer are not worth a call's own cost, which is around it and not measured here: clocks, counters, looking up. */
  readonly rows_min: number;
  /** Longest single call: nothing else runs in the process meanwhile. */
  readonly call_ms_max: number;
}

export const CHUNK_LIMITS: ChunkLimits = { tolerance: 0.05, rows_min: 32, call_ms_max: 4 };

/** What a row costs at the best size, µs. */
export const bestCost = (costs: readonly RowCost[]): number => Math.min(...costs.map((cost) => cost.us_per_row));

/** The smallest size whose rows cost no more than the best one's plus the tolerance, and not below the least, among calls that are short enough. */
export function chooseChunkRows(costs: readonly RowCost[], limits: ChunkLimits = CHUNK_LIMITS): number {
  const short = costs.filter(({ rows, us_per_row }) => rows * us_per_row <= limits.call_ms_max * 1000);
  if (short.length === 0) return 1;
  const best = bestCost(short);
  const fit = short.filter((cost) => cost.us_per_row <= best * (1 + limits.tolerance));
  const rowsOf = (some: readonly RowCost[]): number[] => some.map((cost) => cost.rows);
  return Math.max(Math.min(...rowsOf(fit)), Math.min(limits.rows_min, Math.max(...rowsOf(short))));
}
