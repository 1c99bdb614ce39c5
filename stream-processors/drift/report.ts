import type { ClickHouseSettings } from '@clickhouse/client';
import { driftQuery, histogramQuery } from '../../clickhouse/drift-queries.js';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { DriftBasis, DriftRequest, DriftStatistic, DriftWindow, Measurement } from '../../schemas/drift/measurement.js';

const HOUR_MS = 3_600_000;

/** Optimizations that cost more on so deep a statement (half a second) than running it, and gain nothing here. */
const PLANNING: ClickHouseSettings = { optimize_and_compare_chain: 0, compile_expressions: 0 };

interface Row extends Omit<Measurement, 'n' | 'n_reference' | 'degrees' | 'against' | 'statistic'> {
  readonly against: DriftBasis;
  readonly statistic: DriftStatistic;
  readonly degrees: number | string;
  readonly n: number | string;
  readonly n_reference: number | string;
}

/**
 * Measures a window of event time in the hourly aggregates, against the model's profile and the previous window; one
 * statement, whose cost is that of the aggregates' rows in the two windows.
 * @returns in the order segment, feature, against; nothing for what has no values on one side
 * @throws TidemarkError INPUT_INVALID for windows that are not whole hours; what the client throws
 */
export async function measureDrift(client: ClickHouseClient, request: DriftRequest): Promise<Measurement[]> {
  const rows = await select<Row>(client, driftQuery('native', 'hours')!, request);
  return rows.map((row) => ({ ...row, degrees: Number(row.degrees), n: Number(row.n), n_reference: Number(row.n_reference) }));
}

/** How a feature is distributed in a window and in what it is held against; arrays in ascending order of values. */
export interface Distribution {
  readonly feature: string;
  readonly against: DriftBasis;
  readonly values: readonly number[];
  /** Rows at each value: of the base (fractions where the reference is a mixture), and of the window. */
  readonly reference: readonly number[];
  readonly window: readonly number[];
  readonly missing_reference: number;
  readonly missing: number;
}

/** The distributions that `measureDrift` compares, of all rows. */
export async function measureDistributions(client: ClickHouseClient, request: DriftRequest): Promise<Distribution[]> {
  return select<Distribution>(client, histogramQuery(), { ...request, segments: [] });
}

async function select<T>(client: ClickHouseClient, query: string, { model, modelVersion, window, previous, segments }: DriftRequest): Promise<T[]> {
  const answer = await client.query({
    query, format: 'JSONEachRow', clickhouse_settings: PLANNING,
    query_params: { model, model_version: modelVersion, segments, ...bounds('', window), ...bounds('previous_', previous) },
  });
  return answer.json<T>();
}

/** The parameters of a window in the statements of clickhouse/queries. */
function bounds(prefix: string, { from, to }: DriftWindow): Record<string, string> {
  if (from % HOUR_MS !== 0 || to % HOUR_MS !== 0 || from >= to)
    throw new TidemarkError('INPUT_INVALID', `drift window: got ${String(from)} to ${String(to)}, expected whole hours in epoch milliseconds, from before to`);
  return { [`${prefix}from`]: clickHouseTime(from), [`${prefix}to`]: clickHouseTime(to) };
}

/** As DateTime('UTC') reads it. @param time epoch milliseconds */
export const clickHouseTime = (time: number): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ');
