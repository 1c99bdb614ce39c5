import { createClickHouse, onClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';
import type { DriftRequest, DriftWindow } from '../../schemas/drift/measurement.js';
import { recordMeasurements } from '../../stream-processors/drift/record.js';
import { clickHouseTime, measureDistributions, measureDrift } from '../../stream-processors/drift/report.js';
import type { DriftReport, Verdict } from './summary.js';

const HOUR_MS = 3_600_000;

export interface ReportOptions {
  /** Undefined: the version that made the latest predictions. */
  readonly version?: string | undefined;
  /** End of the window, epoch milliseconds, any moment of its last hour + 1; undefined: the end of the last hour with predictions. */
  readonly to?: number | undefined;
  readonly hours: number;
  readonly segments: readonly string[];
  /** Writes the measurements to drift_reports. */
  readonly record: boolean;
  /** All features together, too; it samples raw rows and trains a classifier. */
  readonly multivariate: boolean;
}

/**
 * Measures a window and the one before it.
 * @throws TidemarkError NOT_FOUND where no predictions have landed, CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export async function makeReport(settings: Settings, options: ReportOptions): Promise<DriftReport> {
  const client = createClickHouse(settings);
  try {
    return await onClickHouse(settings, 'drift report', async () => {
      const request = await requestOf(client, settings.MODEL_NAME, options);
      const [features, distributions, verdicts] = await Promise.all([measureDrift(client, request), measureDistributions(client, request), verdictsOf(client, request)]);
      const measurements = options.multivariate ? [...features, ...await (await import('./multivariate.js')).multivariateOf(settings, client, request)] : features;
      if (options.record) await recordMeasurements(client, request, measurements, Date.now());
      return { request, measurements, distributions, verdicts };
    });
  } finally {
    await client.close();
  }
}

async function requestOf(client: ClickHouseClient, model: string, { version, to, hours, segments }: ReportOptions): Promise<DriftRequest> {
  const answer = await client.query({
    query: `SELECT toUnixTimestamp(max(hour)) AS last, argMax(model_version, (hour, rows)) AS version FROM prediction_hours
            WHERE ({version:String} = '' OR model_version = {version:String}) AND hour < {to:DateTime('UTC')}`,
    query_params: { version: version ?? '', to: clickHouseTime(to ?? Date.UTC(2106, 0, 1)) }, format: 'JSONEachRow',
  });
  const [latest] = await answer.json<{ last: number; version: string }>();
  if (latest === undefined || latest.version === '')
    throw new TidemarkError('NOT_FOUND', `drift report: no predictions${version === undefined ? '' : ` of version ${version}`} have landed${to === undefined ? '' : ` before ${new Date(to).toISOString()}`}; is landing running, and a model serving (tidemark train)?`);
  const end = to === undefined ? (Number(latest.last) * 1000) + HOUR_MS : Math.ceil(to / HOUR_MS) * HOUR_MS;
  const window: DriftWindow = { from: end - hours * HOUR_MS, to: end };
  return { model, modelVersion: latest.version, window, previous: { from: window.from - hours * HOUR_MS, to: window.from }, segments };
}

async function verdictsOf(client: ClickHouseClient, { model, modelVersion, window }: DriftRequest): Promise<Verdict[]> {
  const answer = await client.query({
    query: `SELECT feature, segment, against, statistic, verdict, threshold FROM drift_reports FINAL
            WHERE model = {model:String} AND model_version = {version:String} AND window_from = {from:DateTime('UTC')} AND window_to = {to:DateTime('UTC')} AND verdict != ''`,
    query_params: { model, version: modelVersion, from: clickHouseTime(window.from), to: clickHouseTime(window.to) }, format: 'JSONEachRow',
  });
  return answer.json<Verdict>();
}
