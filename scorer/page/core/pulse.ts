/**
 * What the stream did lately, counted in time slots that are written over in turn: rows, those at risk, scores by
 * twentieths, and how long each stage took. A row costs a few additions, whether anybody looks or not.
 */
export const PULSE = { slots: 60, slot_ms: 5000, score_bins: 20 } as const;
export const PULSE_STAGES = ['event_to_features', 'features_to_score', 'score_to_commit', 'event_to_commit'] as const;

/** Latency bins: under 1 ms, then eight to an octave up to more than two minutes. */
const BINS_PER_OCTAVE = 8;
const LATENCY_BINS = 1 + 17 * BINS_PER_OCTAVE;
const TABLE_MS = 4096;
const binOf = (ms: number): number => (ms < 1 ? 0 : Math.min(LATENCY_BINS - 1, 1 + Math.floor(BINS_PER_OCTAVE * Math.log2(ms))));
const TABLE = Uint8Array.from({ length: TABLE_MS }, (_, ms) => binOf(ms));
/** Lower edge of a bin in ms. */
const edgeOf = (bin: number): number => (bin === 0 ? 0 : 2 ** ((bin - 1) / BINS_PER_OCTAVE));

export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface PulseReading {
  readonly slot_ms: number;
  /** End of the last slot, which is still being filled, epoch milliseconds. */
  readonly until: number;
  /** One value a slot, oldest first. */
  readonly rows: readonly number[];
  readonly at_risk: readonly number[];
  /** Rows of each slot by score, in twentieths from 0 to 1. */
  readonly scores: readonly (readonly number[])[];
  readonly latency_ms: readonly Quantiles[];
  /** Of all slots together. */
  readonly stages_ms: Readonly<Record<(typeof PULSE_STAGES)[number], Quantiles>>;
}

export interface Pulse {
  /** Brings the slots to the present; call it before a batch of `add`. */
  advance(nowMs: number): void;
  /** One score with the milliseconds of PULSE_STAGES. */
  add(score: number, atRisk: boolean, toFeatures: number, toScore: number, toCommit: number, inAll: number): void;
  read(nowMs: number): PulseReading;
}

export function createPulse(): Pulse {
  const { slots, slot_ms, score_bins } = PULSE;
  const rows = new Float64Array(slots);
  const atRisk = new Float64Array(slots);
  const scores = new Float64Array(slots * score_bins);
  const latency = PULSE_STAGES.map(() => new Float64Array(slots * LATENCY_BINS));
  const [features, scoring, committing, inAll] = latency as [Float64Array, Float64Array, Float64Array, Float64Array];
  /** Number of the present slot since 1970. */
  let present = 0;
  let slot = 0;

  function clear(at: number): void {
    rows[at] = 0;
    atRisk[at] = 0;
    scores.fill(0, at * score_bins, (at + 1) * score_bins);
    for (const counts of latency) counts.fill(0, at * LATENCY_BINS, (at + 1) * LATENCY_BINS);
  }
  function advance(nowMs: number): void {
    const number = Math.floor(nowMs / slot_ms);
    if (number <= present) return;
    for (let one = Math.max(present + 1, number - slots + 1); one <= number; one++) clear(one % slots);
    present = number;
    slot = number % slots;
  }
  function count(counts: Float64Array, ms: number): void {
    const bin = ms >= 0 && ms < TABLE_MS ? (TABLE[ms | 0] as number) : binOf(ms);
    const at = slot * LATENCY_BINS + bin;
    counts[at] = (counts[at] as number) + 1;
  }
  const order = (): number[] => Array.from({ length: slots }, (_, i) => (slot + 1 + i) % slots);

  return {
    advance,
    add(score, risk, toFeatures, toScore, toCommit, all) {
      rows[slot] = (rows[slot] as number) + 1;
      if (risk) atRisk[slot] = (atRisk[slot] as number) + 1;
      const at = slot * score_bins + Math.min(score_bins - 1, Math.max(0, Math.floor(score * score_bins)));
      scores[at] = (scores[at] as number) + 1;
      count(features, toFeatures);
      count(scoring, toScore);
      count(committing, toCommit);
      count(inAll, all);
    },
    read(nowMs) {
      advance(nowMs);
      const sorted = order();
      const [first, second, third, fourth] = latency.map((counts) => quantilesOf(counts, sorted));
      return {
        slot_ms, until: (present + 1) * slot_ms,
        rows: sorted.map((at) => rows[at] as number),
        at_risk: sorted.map((at) => atRisk[at] as number),
        scores: sorted.map((at) => [...scores.subarray(at * score_bins, (at + 1) * score_bins)]),
        latency_ms: sorted.map((at) => quantilesOf(inAll, [at])),
        stages_ms: { event_to_features: first as Quantiles, features_to_score: second as Quantiles, score_to_commit: third as Quantiles, event_to_commit: fourth as Quantiles },
      };
    },
  };
}

function quantilesOf(counts: Float64Array, slots: readonly number[]): Quantiles {
  const sums = new Float64Array(LATENCY_BINS);
  let total = 0;
  for (const at of slots)
    for (let bin = 0; bin < LATENCY_BINS; bin++) {
      const rows = counts[at * LATENCY_BINS + bin] as number;
      sums[bin] = (sums[bin] as number) + rows;
      total += rows;
    }
  const quantile = (share: number): number | null => (total === 0 ? null : valueAt(sums, share * total));
  return { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
}

/** The value below which `rank` rows lie, in equal pieces within a bin; to a tenth of a millisecond. */
function valueAt(sums: Float64Array, rank: number): number {
  let below = 0;
  for (let bin = 0; bin < LATENCY_BINS; bin++) {
    const rows = sums[bin] as number;
    if (rows > 0 && below + rows >= rank) return Math.round(10 * (edgeOf(bin) + ((rank - below) / rows) * (edgeOf(bin + 1) - edgeOf(bin)))) / 10;
    below += rows;
  }
  return edgeOf(LATENCY_BINS);
}
