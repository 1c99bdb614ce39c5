import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureSql } from '../../schemas/features/sql/feature-sql.js';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { selectNumbers, sql, type QueryParameters } from './queries.js';

/** Of one partition of customer-events: the offsets [from_offset, to_offset) that hold the events of a training set. */
export interface EventRange {
  readonly partition: number;
  readonly from_offset: number;
  readonly to_offset: number;
  readonly events: number;
  /** Epoch milliseconds of the first and the latest event. */
  readonly first: number;
  readonly watermark: number;
}

/** Where the rows of a training set come from: enough to make them again. */
export interface DatasetLineage {
  readonly ranges: readonly EventRange[];
  /** Two statements: the events that are worked on, and the rows made of them, in one piece. */
  readonly query: string;
  readonly parameters: QueryParameters;
}

/** @param events the table of the events that the training works on */
export const readRanges = async (client: ClickHouseClient, events: string): Promise<EventRange[]> =>
  (await selectNumbers(client, sql('training_ranges'), { events })) as unknown as EventRange[];

/** The table that the first statement of a lineage makes and the second one reads. */
export const LINEAGE_TABLE = 'training_events';

/** What readDataset runs, as two statements that anyone can run. */
export function lineageQuery(view: FeatureView, spine: string): string {
  return `CREATE TABLE ${LINEAGE_TABLE} ENGINE = MergeTree ORDER BY (customer_id, kafka_offset) AS\n${sql('training_events').trim()};\n\n${rowsQuery(view, spine, LINEAGE_TABLE).trim()};\n`;
}

/** The rows of a training set. @param shard one piece of them, where all would not fit in memory */
export function rowsQuery(view: FeatureView, spine: string, events: string, shard?: { index: number; count: number }): string {
  const features = featureSql(view, { spine, events, ...(shard === undefined ? {} : { shard }) });
  const columns = view.features.map(({ name }) => `toFloat32(_features.${name})`).join(', ');
  return sql('training_rows').replace('__FEATURES__', () => features).replace('__COLUMNS__', () => columns);
}
