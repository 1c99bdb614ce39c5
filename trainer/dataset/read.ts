import type { FeatureView } from '../../schemas/features/declaration.js';
import { onClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';
import { isShortage, planSnapshots, type SnapshotPlan } from '../core/plan.js';
import { chooseSampling, type Bucket, type Sampling } from '../core/sampling.js';
import type { LabelledRows } from '../rows.js';
import { LINEAGE_TABLE, lineageQuery, readRanges, rowsQuery, type DatasetLineage } from './lineage.js';
import { selectNumbers, sql, type QueryParameters } from './queries.js';
import { RowBinaryReader } from './row-binary.js';
import { readQuarantine, spineWithout, type QuarantinedWindow } from './quarantine.js';
import { openWorkingCopy, type WorkingCopy } from './working-copy.js';

export interface History {
  /** Epoch milliseconds of the first and the latest event. */
  readonly first: number;
  readonly watermark: number;
  readonly events: number;
  readonly customers: number;
}

export interface Dataset {
  readonly rows: LabelledRows;
  readonly customer_ids: readonly string[];
  /** sha256 over view, features, plan and every row in canonical order. */
  readonly data_hash: string;
  readonly plan: SnapshotPlan;
  readonly sampling: Sampling;
  readonly lineage: DatasetLineage;
}

export interface DatasetOptions {
  readonly client: ClickHouseClient;
  readonly settings: Settings;
  readonly view: FeatureView;
  /** Another spine than training_spine.sql: a SELECT in the terms of schemas/features/sql/spine.ts. */
  readonly spine?: string;
}

/** What has landed. @throws TidemarkError TRAINING_DATA_INSUFFICIENT where nothing has */
export async function readHistory({ client, settings }: DatasetOptions): Promise<History> {
  const [row] = await onClickHouse(settings, 'training: history', () => selectNumbers(client, sql('training_history'), {}));
  if (row === undefined || row['events'] === 0)
    throw new TidemarkError('TRAINING_DATA_INSUFFICIENT', 'training: no events have landed in ClickHouse; publish events and run landing, then train');
  return row as unknown as History;
}

/** Plans the moments of the training set. @throws TidemarkError TRAINING_DATA_INSUFFICIENT with what is there and what is needed */
export function planFor(history: History, settings: Settings): SnapshotPlan {
  const plan = planSnapshots({
    first: history.first, watermark: history.watermark, horizon_days: settings.LABEL_HORIZON_DAYS, step_days: settings.TRAIN_SNAPSHOT_STEP_DAYS,
    holdout_days: settings.TRAIN_HOLDOUT_DAYS,
  });
  if (isShortage(plan)) throw new TidemarkError('TRAINING_DATA_INSUFFICIENT', `training: ${plan.shortage}`);
  return plan;
}

/** The events of one training, copied, and which moments of them it takes; drop the copy when done. */
export interface FetchedEvents {
  readonly plan: SnapshotPlan;
  readonly sampling: Sampling;
  readonly copy: WorkingCopy;
}

/** @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED */
export async function fetchEvents({ client, settings }: DatasetOptions, plan: SnapshotPlan): Promise<FetchedEvents> {
  return onClickHouse(settings, 'training: events', async () => {
    const sizes = (await selectNumbers(client, sql('training_size'), momentsOf(plan))) as unknown as Bucket[];
    const sampling = chooseSampling(sizes, settings.TRAIN_ROWS_MAX);
    return { plan, sampling, copy: await openWorkingCopy(client, sampling) };
  });
}

const momentsOf = (plan: SnapshotPlan): Readonly<Record<string, number>> => ({
  train_after: plan.train.after, train_to: plan.train.to, holdout_after: plan.holdout.after, holdout_to: plan.holdout.to, step_ms: plan.step_ms, horizon_ms: plan.horizon_ms,
});

/**
 * The training set as of the fetched events: vectors by the view's own SQL, point in time, with matured labels.
 * @param quarantine event time whose moments are left out
 * @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export async function readRows(options: DatasetOptions, { plan, sampling, copy }: FetchedEvents, quarantine: readonly QuarantinedWindow[] = []): Promise<Dataset> {
  const { client, settings, view } = options;
  const spine = options.spine ?? spineWithout(quarantine, view);
  const moments = momentsOf(plan);
  return onClickHouse(settings, 'training: rows', async () => {
    const names = view.features.map(({ name }) => name);
    const left_out = quarantine.length === 0 ? {} : { quarantine };
    const reader = new RowBinaryReader(names, JSON.stringify({ view: view.name, version: view.version, names, moments, sampling, ...left_out }));
    const ranges = await readRanges(client, copy.table);
    for (let shard = 0; shard < sampling.shards; shard++)
      await readShard({ client, view, spine }, { index: shard, count: sampling.shards }, { ...moments, events_ppm: sampling.events_ppm, events: copy.table }, reader);
    const parameters = { ...moments, events_ppm: sampling.events_ppm, buckets: sampling.buckets, events: LINEAGE_TABLE, shard: 0, shards: 1 };
    return { ...reader.end(), plan, sampling, lineage: { ranges, query: lineageQuery(view, spine), parameters } };
  });
}

/** All of it: the events that a plan needs, without what is quarantined, and their rows. */
export async function readDataset(options: DatasetOptions, plan: SnapshotPlan): Promise<Dataset> {
  const fetched = await fetchEvents(options, plan);
  try {
    return await readRows(options, fetched, await readQuarantine(options, plan));
  } finally {
    await fetched.copy.drop();
  }
}

/** How many of the moments that a training would take are left out: those inside quarantined windows, and those whose features still hold what was broken. */
export async function countQuarantined({ client, settings, view }: DatasetOptions, { plan, sampling, copy }: FetchedEvents, quarantine: readonly QuarantinedWindow[]): Promise<{ inside: number; held: number }> {
  if (quarantine.length === 0) return { inside: 0, held: 0 };
  const count = async (spine: string): Promise<number> => {
    let moments = 0;
    for (let shard = 0; shard < sampling.shards; shard++) {
      const [row] = await selectNumbers(client, `SELECT count() AS moments FROM (\n${spine}\n)`,
        { ...momentsOf(plan), events_ppm: sampling.events_ppm, events: copy.table, shard, shards: sampling.shards });
      moments += row!['moments']!;
    }
    return moments;
  };
  return onClickHouse(settings, 'training: quarantine', async () => {
    const [all, outside, left] = [await count(spineWithout([])), await count(spineWithout(quarantine)), await count(spineWithout(quarantine, view))];
    return { inside: all - outside, held: outside - left };
  });
}

async function readShard(
  { client, view, spine }: Pick<DatasetOptions, 'client' | 'view'> & { readonly spine: string }, shard: { index: number; count: number }, parameters: QueryParameters & { events: string }, reader: RowBinaryReader,
): Promise<void> {
  const query = rowsQuery(view, spine, parameters.events, shard);
  const { stream } = await client.exec({ query: `${query} FORMAT RowBinary`, query_params: { ...parameters, shard: shard.index, shards: shard.count } });
  for await (const chunk of stream as AsyncIterable<Buffer>) reader.push(chunk);
}
