import { avroType } from '../../runtime/registry/avro-type.js';
import { frame } from '../../runtime/registry/wire-format.js';
import { SHADOW_PREDICTION_AVRO, type ShadowPrediction } from '../../schemas/events/shadow-prediction.js';
import { placeOf } from '../../schemas/ledger/share.js';
import type { TimeBudget } from '../core/budget.js';
import { FALLBACK_SCORE, isScore } from '../core/decision.js';
import type { FeatureScan } from '../core/feature-scan.js';
import { readVarint } from '../core/wire.js';
import type { Trial } from '../model/trial.js';
import { CHUNK_ROWS_MAX } from '../model/warm.js';

/** A chunk that the champion has scored. */
export interface ScoredChunk {
  readonly matrix: Float32Array;
  readonly rows: number;
  /** The champion's scores by row; a canary's rows get the challenger's. */
  readonly scores: Float64Array;
  readonly championVersion: string;
  readonly championUs: number;
  source(row: number): Buffer;
  scan(row: number): FeatureScan;
  offset(row: number): number;
}

export interface Comparison {
  /** 1 for rows that the challenger serves. */
  readonly served: Uint8Array;
  /** Scores the trial's rows of a chunk; the champion's rows are not touched, whatever the challenger does. */
  score(trial: Trial, chunk: ScoredChunk, scoredAtMs: number): void;
  /** The records of what was compared last, for `predictions.shadow`. */
  records(): readonly { readonly row: number; readonly value: Buffer }[];
}

export interface ComparisonOptions {
  readonly partition: number;
  readonly featureCount: number;
  readonly schemaId: number;
  /** What shadow may take of the process's time. A canary's rows are scored in any case: they are served. */
  readonly budget: TimeBudget;
  observe(rows: number, ms: number): void;
  /** A call of the challenger failed. */
  failed(trial: Trial, rows: number, error: unknown): void;
  /** Rows left out since the budget was spent. */
  passedOver(rows: number): void;
}

const type = avroType(SHADOW_PREDICTION_AVRO);

export function createComparison({ partition, featureCount, schemaId, budget, observe, failed, passedOver }: ComparisonOptions): Comparison {
  const served = new Uint8Array(CHUNK_ROWS_MAX);
  const picked = new Uint16Array(CHUNK_ROWS_MAX);
  const matrix = new Float32Array(CHUNK_ROWS_MAX * featureCount);
  const scores = new Float64Array(CHUNK_ROWS_MAX);
  let written: { row: number; value: Buffer }[] = [];

  function pick({ salt, share }: Trial, { rows, source, scan }: ScoredChunk): number {
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const { customerText, event } = scan(row);
      if (placeOf(salt, source(row), customerText, event) < share) picked[count++] = row;
    }
    return count;
  }

  /** One call. @returns microseconds a row */
  function call(trial: Trial, chunk: ScoredChunk, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const at = (picked[i] as number) * featureCount;
      matrix.set(chunk.matrix.subarray(at, at + featureCount), (i - from) * featureCount);
    }
    const startedAt = performance.now();
    try {
      trial.model.session.score(matrix, to - from, scores, from);
    } catch (error) {
      scores.fill(NaN, from, to);
      failed(trial, to - from, error);
    }
    const tookMs = performance.now() - startedAt;
    observe(to - from, tookMs);
    if (trial.mode === 'shadow') budget.spend(tookMs);
    return (tookMs * 1000) / (to - from);
  }

  function write(trial: Trial, chunk: ScoredChunk, i: number, challengerUs: number, scoredAtMs: number): void {
    const row = picked[i] as number;
    const source = chunk.source(row);
    const scan = chunk.scan(row);
    const champion = chunk.scores[row] as number;
    const challenger = scores[i] as number;
    const record: ShadowPrediction = {
      prediction_id: `${partition}-${chunk.offset(row)}`,
      customer_id: source.toString('utf8', scan.customerText, scan.event),
      event_time: readVarint(source, scan.eventTime),
      scored_at: scoredAtMs,
      mode: trial.mode,
      share: trial.share,
      champion_version: chunk.championVersion,
      challenger_version: trial.model.manifest.version,
      champion_score: isScore(champion) ? champion : FALLBACK_SCORE,
      challenger_score: isScore(challenger) ? challenger : FALLBACK_SCORE,
      champion_degraded: !isScore(champion),
      challenger_degraded: !isScore(challenger),
      champion_us: chunk.championUs,
      challenger_us: challengerUs,
    };
    written.push({ row, value: frame(schemaId, type.toBuffer(record)) });
    if (trial.mode !== 'canary' || !isScore(challenger)) return;
    served[row] = 1;
    chunk.scores[row] = challenger;
  }

  return {
    served,
    records: () => written,
    score(trial, chunk, scoredAtMs) {
      served.fill(0, 0, chunk.rows);
      written = [];
      const count = pick(trial, chunk);
      for (let from = 0; from < count;) {
        if (trial.mode === 'shadow' && !budget.left(performance.now())) return passedOver(count - from);
        const to = Math.min(count, from + trial.model.chunkRows);
        const us = call(trial, chunk, from, to);
        for (let i = from; i < to; i++) write(trial, chunk, i, us, scoredAtMs);
        from = to;
      }
    },
  };
}
