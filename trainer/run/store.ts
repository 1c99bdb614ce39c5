import { createClickHouse, onClickHouse } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import type { RunStore } from './run.js';

/** Rows of training_runs and training_stages under the run's id. @throws by its functions TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED */
export function clickHouseRunStore(settings: Settings, about: { run_id: string; retrain_event_id: string; started_at: number }): RunStore {
  const { run_id, retrain_event_id, started_at } = about;
  const model = settings.MODEL_NAME;
  // A few rows in minutes: a client for each leaves nothing open between them.
  const insert = (table: string, row: Record<string, unknown>): Promise<void> => onClickHouse(settings, `training: ${table}`, async () => {
    const client = createClickHouse(settings);
    try {
      await client.insert({ table, values: [{ run_id, model, ...row, updated_at: time(Date.now()) }], format: 'JSONEachRow' });
    } finally {
      await client.close();
    }
  });
  return {
    stage: ({ started_at, detail, ...row }) => insert('training_stages', { ...row, started_at: time(started_at), detail: JSON.stringify(detail) }),
    run(status, { version = '', family = '', data_hash = '', dataset_id = '', data_rows = 0, metrics = {}, error = '', ...detail }, took_ms) {
      return insert('training_runs', {
        retrain_event_id, status, version, family, data_hash, dataset_id, data_rows, metrics: finite(metrics), error, detail: JSON.stringify(detail), started_at: time(started_at), took_ms,
      });
    },
  };
}

const time = (epoch_ms: number): string => new Date(epoch_ms).toISOString();
const finite = (metrics: Readonly<Record<string, number>>): Record<string, number> => Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
