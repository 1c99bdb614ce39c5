import { createClickHouse } from '../../runtime/clickhouse.js';
import { cleanRows, type CleaningCount } from '../core/cleaning.js';
import type { ExpectationResult } from '../core/expectations.js';
import { selectRows } from '../rows.js';
import type { TrainingRun } from '../run/run.js';
import { checkEvents, checkRows, reportOf } from './checks.js';
import { readQuarantine } from './quarantine.js';
import { countQuarantined, fetchEvents, planFor, readHistory, readRows, type Dataset, type DatasetOptions, type History } from './read.js';

/** Rows to train on, and all that was found on the way to them. */
export interface PreparedRows {
  readonly history: History;
  /** All rows as they were read. */
  readonly dataset: Dataset;
  readonly expectations: readonly ExpectationResult[];
  readonly cleaning: readonly CleaningCount[];
  /** Whether a row of the dataset is trained or measured on. */
  readonly keeps: (row: number) => boolean;
}

/**
 * The stages before a training: fetch the events, hold them against what is expected, leave out what is quarantined, make
 * features point in time, and hold the rows against what is expected of them.
 * @throws TidemarkError TRAINING_DATA_INSUFFICIENT, TRAINING_DATA_INVALID, CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export async function prepareRows(about: Omit<DatasetOptions, 'client'>, run: TrainingRun): Promise<PreparedRows> {
  const client = createClickHouse(about.settings, { requestTimeoutMs: 600_000 });
  const options = { ...about, client };
  try {
    const { history, fetched } = await run.stage('fetch', async () => {
      const found = await readHistory(options);
      return { history: found, fetched: await fetchEvents(options, planFor(found, about.settings)) };
    }, (done) => ({ ...done.history, ...done.fetched.sampling }));
    try {
      const ofEvents = await run.stage('validate', () => checkEvents(options, fetched, history), reportOf);
      const { quarantine, quarantined } = await run.stage('clean', async () => {
        const windows = await readQuarantine(options, fetched.plan);
        return { quarantine: windows, quarantined: await countQuarantined(options, fetched, windows) };
      }, (done) => ({ windows: done.quarantine, moments_left_out: done.quarantined.inside, moments_held_over: done.quarantined.held }));
      const { dataset, keeps, counts } = await run.stage('features', async () => {
        const read = await readRows(options, fetched, quarantine);
        return { dataset: read, ...cleanRows(read.rows, quarantined) };
      }, (done) => ({ rows: done.dataset.rows.rows, data_hash: done.dataset.data_hash, cleaning: done.counts }));
      const ofRows = await run.stage('validate_rows', async () => checkRows(selectRows(dataset.rows, keeps), fetched.plan, history.watermark, about.view), reportOf);
      return { history, dataset, expectations: [...ofEvents, ...ofRows], cleaning: counts, keeps };
    } finally {
      await fetched.copy.drop();
    }
  } finally {
    await client.close();
  }
}
