import { BINS_PER_DOUBLING, EXPONENT_MAX, MISSING_BIN, POSITIVE_ORIGIN } from '../schemas/drift/bins.js';
import { TENURE_SEGMENTS, tenureSegmentSql } from '../schemas/segments.js';
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

const TENURE_NAMES = `[${TENURE_SEGMENTS.map(text).join(', ')}]`;
const featureColumns = (view: FeatureView): string[] => ['score', ...featureNames(view)];
const joined = (view: FeatureView): string => `[${featureColumns(view).map(text).join(', ')}] AS feature,
    [${featureColumns(view).map(name).join(', ')}] AS value`;

/** The query of the view that counts every feature's values, and the scores, into feature_hours. */
export function featureHoursQuery(view: FeatureView): string {
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
    ${joined(view)}
GROUP BY hour, model_version, trigger, feature, bin`;
}

/**
 * The query of the view that counts the same by segment. Values are grouped once by channel and tenure together, by keys of a
 * fixed width (hashes and places instead of names: 2.5 times as fast), and the groups then go into both kinds of segment.
 */
export function featureSegmentHoursQuery(view: FeatureView): string {
  const tenure = featureNames(view).includes('tenure_days') ? tenureSegmentSql('tenure_days') : "''";
  const columns = featureColumns(view);
  return `SELECT hour, segment, version AS model_version, trigger, [${columns.map(text).join(', ')}][place] AS feature, bin, rows, total, low, high
FROM
(
    SELECT
        hour,
        any(model_version) AS version,
        any(channel) AS channel_name,
        tenure_place,
        trigger,
        place,
        ${valueBin('value')} AS bin,
        count() AS rows,
        sum(if(isNaN(value), 0, value)) AS total,
        min(if(isNaN(value), 0, value)) AS low,
        max(if(isNaN(value), 0, value)) AS high
    FROM
    (
        SELECT
            toStartOfHour(event_time) AS hour,
            model_version,
            cityHash64(model_version) AS version_key,
            channel,
            cityHash64(channel) AS channel_key,
            toUInt8(indexOf(${TENURE_NAMES}, ${tenure})) AS tenure_place,
            trigger,
            [${columns.map(name).join(', ')}] AS values
        FROM predictions
    )
    ARRAY JOIN
        CAST(range(1, ${columns.length + 1}), 'Array(UInt8)') AS place,
        values AS value
    GROUP BY hour, version_key, channel_key, tenure_place, trigger, place, bin
)
ARRAY JOIN arrayFilter(name -> name != '', [if(channel_name = '', '', concat('channel=', channel_name)), ${TENURE_NAMES}[tenure_place]]) AS segment`;
}

/** The views on predictions that are written from the feature view; their queries are replaced when the features change. */
export const FEATURE_VIEWS: readonly { readonly name: string; readonly target: string; readonly query: (view: FeatureView) => string }[] = [
  { name: 'predictions_to_feature_hours', target: 'feature_hours', query: featureHoursQuery },
  { name: 'predictions_to_feature_segment_hours', target: 'feature_segment_hours', query: featureSegmentHoursQuery },
];
