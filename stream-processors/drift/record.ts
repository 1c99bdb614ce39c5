import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { DriftRequest, Measurement } from '../../schemas/drift/measurement.js';
import { clickHouseTime } from './report.js';

/**
 * Writes measurements that nobody judged into drift_reports, verdict empty. The same figure written again replaces the
 * former one (read with FINAL).
 * @param now epoch milliseconds
 */
export async function recordMeasurements(client: ClickHouseClient, { model, modelVersion, window }: DriftRequest, measurements: readonly Measurement[], now: number): Promise<void> {
  if (measurements.length === 0) return;
  const about = { model, model_version: modelVersion, window_from: clickHouseTime(window.from), window_to: clickHouseTime(window.to), threshold: null, verdict: '', reported_at: new Date(now).toISOString() };
  await client.insert({ table: 'drift_reports', values: measurements.map((one) => ({ ...one, ...about })), format: 'JSONEachRow' });
}
