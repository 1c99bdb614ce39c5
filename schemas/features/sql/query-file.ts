import type { FeatureView } from '../declaration.js';
import { featureSql } from './feature-sql.js';

/** The text of clickhouse/queries/features_<view>.sql: the view for every customer, to read and to run by hand. */
export function featureQueryFile(view: FeatureView): string {
  const spine = 'SELECT customer_id, max(toInt64(kafka_offset)) AS as_of_offset, {clock_ms:Int64} AS as_of_ms\nFROM `events`\nGROUP BY customer_id';
  return `-- Features of view ${view.name}, version ${view.version}, for every customer as of clock_ms (epoch ms; 0: each customer's latest event).
-- Generated from the view's declaration: change that, then run UPDATE_GENERATED=1 node dist/test/contract/generated-files.test.js
${featureSql(view, { spine })}
`;
}
