import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createMetrics } from '../../runtime/telemetry.js';
import type { Live } from '../live/live.js';
import { watchLive } from './live-metrics.js';
import { watchPage, type PageCounts } from './page-metrics.js';
import type { ApiLog } from '../api-log/log.js';
import type { Bulk } from '../bulk/bulk.js';
import type { LoadedModel } from '../model/load.js';
import type { Trial } from '../model/trial.js';
import type { Scored, SkipReason } from '../stream/score-records.js';
import { createHotHistogram } from './hot-histogram.js';

export interface ScorerMetrics {
  readonly contentType: string;
  /** Where other parts of the process register theirs. */
  readonly register: Registry;
  text(): Promise<string>;
  httpAnswered(path: string, ms: number): void;
  /** One call to the model; of bulk, a batch with its reading and writing. */
  modelCall(source: 'stream' | 'api' | 'bulk' | 'challenger', rows: number, ms: number): void;
  /** Rows whose score was taken apart. */
  explained(rows: number, ms: number): void;
  committed(rows: readonly Scored[], atMs: number): void;
  batch(partition: number, rows: number, processMs: number, commitMs: number): void;
  rolledBack(partition: number, code: string): void;
  skipped(reason: SkipReason): void;
  restored(partition: number, position: number, target: number): void;
  modelSwapped(model: LoadedModel, previous: LoadedModel | undefined): void;
  modelRefused(): void;
  /** A call to a model in service failed. */
  modelFailed(version: string, rows: number): void;
  trialChanged(trial: Trial | undefined): void;
  /** Rows that a challenger was to score beside the champion. */
  compared(outcome: 'failed' | 'passed_over', rows: number): void;
  /** Values of the API that are looked up when metrics are read. */
  watchApi(sources: { bulk: Pick<Bulk, 'state'>; apiLog: Pick<ApiLog, 'counts'> }): void;
  watchQueues(sources: QueueSources): void;
  watchCache(counts: { readonly lookups: number; readonly hits: number }): void;
  /** Values that are looked up when metrics are read. */
  watch(sources: { live: Live; page?: { readonly counts: PageCounts }; lag(): readonly { partition: number; lag: number }[]; customers(): number }): void;
}

interface QueueSources { readonly queue: { readonly refused: number }; explanations(): { readonly waiting: number; readonly refused: number; readonly timed_out: number }; clickhouseOpened(): number }

const LATENCY_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60];
const CALL_S = [0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05];
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export function createScorerMetrics(): ScorerMetrics {
  const register = createMetrics('scorer');
  const registers = [register];
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: readonly L[]): Histogram<L> => new Histogram({ name, help, buckets, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> => new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[], collect?: (this: Gauge<L>) => void): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers, ...(collect === undefined ? {} : { collect }) });
  /** A counter that something else counts. */
  const total = (name: string, help: string, read: () => number): Counter => new Counter({ name, help, registers, collect() { this.reset(); this.inc(read()); } });

  const stages = createHotHistogram(register, 'tidemark_scorer_stage_seconds', 'Time of a record between two stages: event appended → features written → scored → prediction committed.', 'stage', LATENCY_S);
  const [toFeatures, toScore, toCommit, whole] = [stages.of('event_to_features'), stages.of('features_to_score'), stages.of('score_to_commit'), stages.of('event_to_commit')];
  const batchRows = histogram('tidemark_scorer_batch_rows', 'Records in one transaction.', ROWS, ['partition']);
  const processSeconds = histogram('tidemark_scorer_batch_process_seconds', 'Decoding, scoring and encoding of one transaction’s records.', LATENCY_S, []);
  const commitSeconds = histogram('tidemark_scorer_batch_commit_seconds', 'Commit of one transaction.', LATENCY_S, []);
  const callRows = createHotHistogram(register, 'tidemark_scorer_model_call_rows', 'Rows in one call to the model.', 'source', ROWS);
  const callSeconds = createHotHistogram(register, 'tidemark_scorer_model_call_seconds', 'Duration of one call to the model.', 'source', CALL_S);
  const http = createHotHistogram(register, 'tidemark_scorer_http_seconds', 'Time from a request’s headers to its answer.', 'path', LATENCY_S);
  const explain = histogram('tidemark_scorer_explain_seconds', 'Time of an explanation, its wait for the thread included.', LATENCY_S, []);
  const skips = counter('tidemark_scorer_skipped_total', 'Records of customer-features that gave no prediction.', ['reason']);
  const rollbacks = counter('tidemark_scorer_rollbacks_total', 'Transactions that were taken back.', ['partition', 'code']);
  const refused = counter('tidemark_scorer_models_refused_total', 'Models that were refused.', []);
  const failed = counter('tidemark_scorer_model_failed_rows_total', 'Rows in calls to a model in service that failed.', []);
  const swaps = counter('tidemark_scorer_model_swaps_total', 'Models put into service.', []);
  const info = gauge('tidemark_scorer_model_info', 'The model in service.', ['version', 'family', 'view', 'view_version']);
  const challenger = gauge('tidemark_scorer_challenger_share', 'Share of customers that the version beside the champion scores.', ['version', 'mode']);
  const uncompared = counter('tidemark_scorer_uncompared_total', 'Rows without a score of the challenger: its call failed, or its time was spent.', ['outcome']);
  const chunk = gauge('tidemark_scorer_model_chunk_rows', 'Rows of one call, measured when the model was loaded.', []);
  const restorePosition = gauge('tidemark_scorer_restore_position', 'Offset that the online store’s restore has reached.', ['partition']);
  const restoreTarget = gauge('tidemark_scorer_restore_target', 'Offset at which the online store’s restore ends.', ['partition']);

  return {
    contentType: register.contentType,
    register,
    text: () => register.metrics(),
    httpAnswered: (path, ms) => http.of(path).observe(ms / 1000),
    modelCall(source, rows, ms) {
      callRows.of(source).observe(rows);
      callSeconds.of(source).observe(ms / 1000);
    },
    explained: (_rows, ms) => explain.observe(ms / 1000),
    committed(rows, atMs) {
      for (const { prediction, producedAt, featuresAt, scoredAt } of rows) {
        if (prediction === null) continue;
        toFeatures.observe(secondsSince(featuresAt, producedAt));
        toScore.observe(secondsSince(scoredAt, featuresAt));
        toCommit.observe(secondsSince(atMs, scoredAt));
        whole.observe(secondsSince(atMs, producedAt));
      }
    },
    batch(partition, rows, processMs, commitMs) {
      batchRows.observe({ partition }, rows);
      processSeconds.observe(processMs / 1000);
      commitSeconds.observe(commitMs / 1000);
    },
    rolledBack: (partition, code) => rollbacks.inc({ partition, code }),
    skipped: (reason) => skips.inc({ reason }),
    restored(partition, position, target) {
      restorePosition.set({ partition }, position);
      restoreTarget.set({ partition }, target);
    },
    modelSwapped({ manifest, chunkRows }) {
      swaps.inc();
      info.reset();
      info.set({ version: manifest.version, family: manifest.family, view: manifest.view, view_version: manifest.view_version }, 1);
      chunk.set(chunkRows);
    },
    modelRefused: () => refused.inc(),
    modelFailed: (_version, rows) => failed.inc(rows),
    trialChanged(trial) {
      challenger.reset();
      if (trial !== undefined) challenger.set({ version: trial.model.manifest.version, mode: trial.mode }, trial.share);
    },
    compared: (outcome, rows) => uncompared.inc({ outcome }, rows),
    watchApi({ bulk, apiLog }) {
      gauge('tidemark_scorer_bulk_waiting', 'Batches that wait for a worker or are with one.', [], function () { this.set(bulk.state.waiting); });
      gauge('tidemark_scorer_bulk_held_bytes', 'Bytes that batches in hand may have; 64 MB are the most.', [], function () { this.set(bulk.state.heldBytes); });
      total('tidemark_scorer_bulk_rows_total', 'Rows scored in batches.', () => bulk.state.rows);
      total('tidemark_scorer_api_log_landed_total', 'Predictions of the API that ClickHouse has taken.', () => apiLog.counts.landed);
      total('tidemark_scorer_api_log_dropped_total', 'Predictions of the API that were not logged: too many waited, or ClickHouse refused them.', () => apiLog.counts.dropped);
      gauge('tidemark_scorer_api_log_waiting_bytes', 'Bytes of predictions that wait for ClickHouse.', [], function () { this.set(apiLog.counts.waitingBytes); });
    },
    watchQueues({ queue, explanations, clickhouseOpened }) {
      total('tidemark_scorer_requests_refused_total', 'Requests for a score that were refused since too many waited.', () => queue.refused);
      gauge('tidemark_scorer_explanations_waiting', 'Explanations that wait for their thread.', [], function () { this.set(explanations().waiting); });
      total('tidemark_scorer_explanations_refused_total', 'Explanations that were refused or given up since too many waited.', () => explanations().refused + explanations().timed_out);
      total('tidemark_scorer_clickhouse_breaker_opened_total', 'Times that ClickHouse was left alone after it failed.', clickhouseOpened);
    },
    watchCache(counts) {
      total('tidemark_scorer_cache_lookups_total', 'Rows looked up among those that the model in service has scored before.', () => counts.lookups);
      total('tidemark_scorer_cache_hits_total', 'Rows whose score was found there.', () => counts.hits);
    },
    watch({ live, page, lag, customers }) {
      gauge('tidemark_scorer_lag_records', 'Records of customer-features that are not yet scored.', ['partition'], function () {
        this.reset();
        for (const { partition, lag: records } of lag()) this.set({ partition }, records);
      });
      gauge('tidemark_scorer_online_customers', 'Customers in the online store.', [], function () { this.set(customers()); });
      watchLive(registers, live);
      if (page !== undefined) watchPage(registers, page.counts);
    },
  };
}

/** Clocks of two machines may differ by more than a stage takes. */
const secondsSince = (atMs: number, fromMs: number): number => Math.max(0, atMs - fromMs) / 1000;
