import type { FeatureView } from '../../schemas/features/declaration.js';
import { onClickHouse } from '../../runtime/clickhouse.js';
import { TidemarkError } from '../../runtime/errors.js';
import { EVENT_SUITE, failures, hold, inWords, type EventFacts, type ExpectationResult } from '../core/expectations.js';
import { notNegative, ROW_SUITE } from '../core/row-expectations.js';
import type { SnapshotPlan } from '../core/plan.js';
import type { LabelledRows } from '../rows.js';
import type { DatasetOptions, FetchedEvents, History } from './read.js';
import { selectNumbers, sql } from './queries.js';

/** Holds the suite of events against those that were fetched. @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED, TRAINING_DATA_INVALID */
export async function checkEvents({ client, settings }: DatasetOptions, { copy }: FetchedEvents, { first, watermark }: History): Promise<ExpectationResult[]> {
  const [facts] = await onClickHouse(settings, 'training: events checked', () => selectNumbers(client, sql('training_event_facts'), { events: copy.table, first, watermark }));
  return required(hold(EVENT_SUITE, facts as unknown as EventFacts));
}

/** Holds the suite of rows against those that a model would be trained on. @throws TidemarkError TRAINING_DATA_INVALID */
export function checkRows(rows: LabelledRows, plan: SnapshotPlan, watermark: number, view: FeatureView): ExpectationResult[] {
  return required(hold(ROW_SUITE, { ...rows, plan, watermark, not_negative: notNegative(view) }));
}

function required(results: ExpectationResult[]): ExpectationResult[] {
  const failed = failures(results, 'error');
  if (failed.length > 0)
    throw new TidemarkError('TRAINING_DATA_INVALID', `training data: ${failed.map(inWords).join('; ')}: no model is trained on it`, { details: { failed } });
  return results;
}

/** A stage's line of a report. */
export const reportOf = (results: readonly ExpectationResult[]): Record<string, unknown> => ({ expectations: results, warnings: failures(results, 'warning').map(inWords) });
