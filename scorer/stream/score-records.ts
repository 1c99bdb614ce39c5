import { TidemarkError } from '../../runtime/errors.js';
import type { KafkaRecord } from '../../runtime/kafka/records.js';
import { FRAME_BYTES } from '../../runtime/registry/wire-format.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { Canonical } from './canonical.js';
import { fillRow, newFeatureScan, scanFeatures, type FeatureScan } from '../core/feature-scan.js';
import { createPredictionWriter, predictionStamp, PREDICTION_EXTRA_BYTES, type PredictionStamp } from '../core/prediction-writer.js';
import { readVarint } from '../core/wire.js';
import { CHUNK_ROWS_MAX } from '../model/warm.js';
import type { LoadedModel } from '../model/load.js';
import type { ModelCalls } from '../model/calls.js';
import type { ModelHolder } from '../model/swap.js';
import type { Trial } from '../model/trial.js';
import type { Comparison, ScoredChunk } from './compare.js';

/** Why a record of customer-features gave no prediction. */
export type SkipReason = 'undecodable' | 'older_view_version' | 'deleted';

/** One scored record; `prediction` is null where the record deletes the customer. */
export interface Scored {
  readonly customerId: string;
  readonly key: Buffer | null;
  readonly prediction: Buffer | null;
  /** Epoch milliseconds: the event's append to customer-events, the features' write, the score. */
  readonly producedAt: number;
  readonly featuresAt: number;
  readonly scoredAt: number;
}

export interface RecordScorerOptions {
  readonly partition: number;
  readonly view: FeatureView;
  readonly predictionsSchemaId: number;
  readonly canonical: Canonical;
  readonly holder: Pick<ModelHolder, 'current'>;
  readonly calls: ModelCalls;
  /** FALLBACK_SCORE */
  readonly fallbackScore?: number;
  /** Scores beside the champion; undefined where there is no challenger. */
  trial?(): Trial | undefined;
  readonly comparison?: Comparison;
  /** DECISION_THRESHOLD */
  readonly threshold: number;
  readonly clock: () => number;
  skipped(reason: SkipReason, record: KafkaRecord, why: string): void;
  /** Rows of one call to the model and how long the call took. */
  scored(rows: number, scoreMs: number): void;
  /** A record of a newer view version than this scorer's. */
  newerVersion(version: number): void;
}

/** Takes a record of `predictions.shadow`. */
export type TakeShadow = (key: Buffer | null, value: Buffer) => void;
export type RecordScorer = (records: readonly KafkaRecord[], take: (scored: Scored) => void, takeShadow?: TakeShadow) => void | Promise<void>;

const SLAB_BYTES = 256 * 1024;

/** Scores records of one partition in chunks of the model's best size: one matrix, one call, predictions in their bytes. */
export function createRecordScorer(options: RecordScorerOptions): RecordScorer {
  const { view, partition, canonical, holder, calls, threshold, clock } = options;
  const featureCount = view.features.length;
  const writer = createPredictionWriter(options.predictionsSchemaId, partition, options.fallbackScore);
  const matrix = new Float32Array(CHUNK_ROWS_MAX * featureCount);
  const scores = new Float64Array(CHUNK_ROWS_MAX);
  const scans = Array.from({ length: CHUNK_ROWS_MAX }, newFeatureScan);
  let stamped: { model: LoadedModel; stamp: PredictionStamp } | undefined;
  let challengerStamped: typeof stamped;
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let slabView = viewOf(slab);
  let slabAt = 0;

  const newStamp = (model: LoadedModel) => ({ model, stamp: predictionStamp(model.manifest.version, model.session.runtime, threshold) });
  function stampOf(model: LoadedModel): PredictionStamp {
    if (stamped?.model !== model) stamped = newStamp(model);
    return stamped.stamp;
  }

  /** Predictions stand in slabs that are never written again: the output copies them, the online store keeps them. */
  function room(bytes: number): void {
    if (slabAt + bytes <= slab.length) return;
    slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    slabView = viewOf(slab);
    slabAt = 0;
  }

  /** Puts a value into row `row` of the matrix; false where it is skipped. */
  function fill(record: KafkaRecord, value: Buffer, row: number): boolean {
    const scan = scans[row] as FeatureScan;
    if (!scanFeatures(value, FRAME_BYTES, value.length, featureCount, scan)) {
      options.skipped('undecodable', record, `${value.length} bytes are no record of view ${view.name}`);
      return false;
    }
    const version = readVarint(value, scan.viewVersion);
    if (version !== view.version) {
      if (version > view.version) {
        options.newerVersion(version);
        throw new TidemarkError('CONSUMER_STALLED', `customer-features-${partition}@${record.offset}: view version ${version}, this scorer has ${view.version}: its records wait for a scorer of that version`);
      }
      options.skipped('older_view_version', record, `view version ${version}, expected ${view.version}`);
      return false;
    }
    fillRow(viewOf(value), scan, matrix, row, featureCount);
    return true;
  }

  function scoreSync(records: readonly KafkaRecord[], values: readonly (Buffer | null)[], take: (scored: Scored) => void, takeShadow: TakeShadow | undefined): void {
    const rows: number[] = [];
    for (let at = 0; at < records.length;) {
      let model = holder.current();
      if (model === undefined) throw new TidemarkError('PART_NOT_READY', 'no model serves: records must wait for one');
      rows.length = 0;
      const end = Math.min(records.length, at + model.chunkRows);
      for (let i = at; i < end; i++) {
        const value = values[i] as Buffer | null;
        if (value !== null && fill(records[i] as KafkaRecord, value, rows.length)) rows.push(i);
      }
      let tookMs = 0;
      if (rows.length > 0) {
        const startedAt = performance.now();
        model = calls.score(matrix, rows.length, scores);
        tookMs = performance.now() - startedAt;
        options.scored(rows.length, tookMs);
      }
      const trial = options.trial?.();
      if (trial === undefined || rows.length === 0) emit(records, values, at, end, rows, stampOf(model), take);
      else {
        const chunk: ScoredChunk = {
          matrix, scores, rows: rows.length, championVersion: model.manifest.version, championUs: (tookMs * 1000) / rows.length,
          source: (row) => values[rows[row]!]!, scan: (row) => scans[row]!, offset: (row) => records[rows[row]!]!.offset,
        };
        emitCompared(trial, chunk, records, values, at, end, rows, stampOf(model), take, takeShadow);
      }
      at = end;
    }
  }

  /** The same with a challenger beside the champion. Reading a partition back to restore the store compares nothing anew. */
  function emitCompared(trial: Trial, chunk: ScoredChunk, records: readonly KafkaRecord[], values: readonly (Buffer | null)[], from: number, to: number, rows: readonly number[], stamp: PredictionStamp, take: (scored: Scored) => void, takeShadow: TakeShadow | undefined): void {
    const comparison = options.comparison!;
    if (takeShadow === undefined && trial.mode === 'shadow') return emit(records, values, from, to, rows, stamp, take);
    if (challengerStamped?.model !== trial.model) challengerStamped = newStamp(trial.model);
    comparison.score(trial, chunk, clock());
    emit(records, values, from, to, rows, stamp, take, { served: comparison.served, stamp: challengerStamped.stamp });
    if (takeShadow !== undefined) for (const { row, value } of comparison.records()) takeShadow(records[rows[row]!]!.key, value);
  }

  function emit(records: readonly KafkaRecord[], values: readonly (Buffer | null)[], from: number, to: number, rows: readonly number[], stamp: PredictionStamp, take: (scored: Scored) => void, canary?: { readonly served: Uint8Array; readonly stamp: PredictionStamp }): void {
    const scoredAt = clock();
    for (let i = from, row = 0; i < to; i++) {
      const record = records[i] as KafkaRecord;
      if (rows[row] === i) {
        const source = values[i] as Buffer;
        const scan = scans[row] as FeatureScan;
        room(source.length + PREDICTION_EXTRA_BYTES);
        const start = slabAt;
        const by = canary !== undefined && canary.served[row] === 1 ? canary.stamp : stamp;
        slabAt = writer.write(slab, slabView, start, source, scan, source.length, record.offset, scoredAt, scores[row] as number, by);
        take({
          customerId: source.toString('utf8', scan.customerText, scan.event),
          key: record.key,
          prediction: slab.subarray(start, slabAt),
          producedAt: readVarint(source, scan.producedAt),
          featuresAt: readVarint(source, scan.committedAt),
          scoredAt,
        });
        row++;
      } else if (record.value === null && record.key !== null) {
        options.skipped('deleted', record, 'a record without value deletes the customer');
        take({ customerId: record.key.toString('utf8'), key: record.key, prediction: null, producedAt: record.timestamp, featuresAt: record.timestamp, scoredAt });
      }
    }
  }

  /** Values in our own schema's bytes; null where there is none or it cannot be read. */
  function canonicalValue(record: KafkaRecord): Buffer | null | Promise<Buffer | null> {
    if (record.value === null) return null;
    try {
      const now = canonical.now(record.value);
      if (now !== undefined) return now;
    } catch (error) {
      return unreadable(record, error);
    }
    return canonical.later(record.value).catch((error: unknown) => unreadable(record, error));
  }
  function unreadable(record: KafkaRecord, error: unknown): null {
    if (!(error instanceof TidemarkError) || error.code === 'REGISTRY_UNREACHABLE') throw error;
    options.skipped('undecodable', record, error.message);
    return null;
  }

  return (records, take, takeShadow) => {
    const values: (Buffer | null)[] = [];
    for (const [i, record] of records.entries()) {
      const value = canonicalValue(record);
      if (value instanceof Promise) return Promise.all([...values, value, ...records.slice(i + 1).map(canonicalValue)]).then((all) => scoreSync(records, all, take, takeShadow));
      values.push(value);
    }
    return scoreSync(records, values, take, takeShadow);
  };
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
