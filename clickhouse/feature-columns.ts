import { BINS_PER_DOUBLING, EXPONENT_MAX, MISSING_BIN, POSITIVE_ORIGIN } from '../schemas/drift/bins.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { clickhouseFeatureColumns, featureNames } from '../schemas/features/derive.js';

/**
 * SQL for a value's bin: 0 for zero, 10000 + floor(32 log2 v) for positive values, mirrored for negative ones, so that the
 * order of bins is the order of values; magnitudes beyond 2^±250 share the outermost bins.
 */
export function valueBin(value: string): string {
  const place = (magnitude: string): string => `${POSITIVE_ORIGIN} + least(greatest(floor(log2(${magnitude}) * ${BINS_PER_DOUBLING}), -${EXPONENT_MAX}), ${EXPONENT_MAX})`;
  return `toInt16(multiIf(isNaN(${value}), ${MISSING_BIN}, ${value} = 0, 0, ${value} > 0, ${place(value)}, -(${place(`-${value}`)})))`;
}

const name = (column: string): string => `\`${column}\``;
const text = (value: string): string => `'${value.replace(/[\\']/g, '\\$&')}'`;

/** One statement per feature: the column of `predictions`, beside what is there. */
export function addFeatureColumns(view: FeatureView): string[] {
  return clickhouseFeatureColumns(view).map((column) =>
    `ALTER TABLE predictions ADD COLUMN IF NOT EXISTS ${name(column.name)} ${column.type} DEFAULT ${column.defaultExpression} COMMENT ${text(column.comment)}`);
}

/** The query of the view that counts every feature's values, and the scores, into feature_hours. */
export function featureHoursQuery(view: FeatureView): string {
  const columns = ['score', ...featureNames(view)];
  return `SELECT
    toStartOfHour(event_time) AS hour,
    model_version,
    trigger,
    feature,
    ${valueBin('value')} AS bin,
    count() AS rows,
    sum(if(isNaN(value), 0, value)) AS total,
    sum(if(isNaN(value), 0, value * value)) AS squares,
    min(if(isNaN(value), 0, value)) AS low,
    max(if(isNaN(value), 0, value)) AS high
FROM predictions
ARRAY JOIN
    [${columns.map(text).join(', ')}] AS feature,
    [${columns.map(name).join(', ')}] AS value
GROUP BY hour, model_version, trigger, feature, bin`;
}

/** The view that fills feature_hours; its query is replaced when the features change. */
export function createFeatureHoursView(view: FeatureView): string {
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS predictions_to_feature_hours TO feature_hours AS ${featureHoursQuery(view)}`;
}

export const modifyFeatureHoursView = (view: FeatureView): string => `ALTER TABLE predictions_to_feature_hours MODIFY QUERY ${featureHoursQuery(view)}`;
