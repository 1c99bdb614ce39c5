import type { FeatureView } from '../declaration.js';
import { horizonDays } from '../horizon.js';
import { aggregateSql, matches, outerSql, sequencesOf } from './aggregates.js';
import { quoteTable } from './quote.js';
import type { SpineSql } from './spine.js';

export interface FeatureSqlOptions {
  /** The SELECT that says whose features are wanted as of when. */
  readonly spine: SpineSql;
  /** Table of landed events: customer_id, event_id, event_type, amount, quantity, event_time DateTime64(3), kafka_offset. */
  readonly events?: string;
  /** Only customers whose hash falls to `index` of `count`: the same result in pieces, where all of it would not fit in memory. */
  readonly shard?: { readonly index: number; readonly count: number };
}

/**
 * ClickHouse SQL that computes the view from the landed events exactly as the stream does: duplicates by the same rule, too
 * late by the same rule, order by arrival (kafka_offset; a customer's records stand on one partition).
 * @returns a SELECT of customer_id, as_of_offset, as_of_ms and the features as Float64 in vector order; one row for each
 *   spine row (equal ones once) of a customer with an accepted event by then, in no order
 */
export function featureSql(view: FeatureView, options: FeatureSqlOptions): string {
  const events = quoteTable(options.events ?? 'events');
  const shard = options.shard === undefined ? '' : `\n  WHERE cityHash64(customer_id) % ${whole(options.shard.count)} = ${whole(options.shard.index)}`;
  const sequences = sequencesOf(view);
  const horizon = horizonDays(view);
  const tooLate = horizon === Infinity ? '0' : `_day <= intDiv(_latest_before, 86400000) - ${horizon}`;
  const aggregates = view.features.flatMap((feature) => (feature.aggregate === 'ratio' ? [] : [`  ${aggregateSql(feature, sequences)} AS ${feature.name}`]));
  const joined = ['_ms', '_hour', '_day', '_offset', '_type', '_amount', '_quantity', ...sequences.flatMap(({ follows, gap }) => [follows, gap])];

  return `WITH
-- Records in arrival order, numbered within the customer.
_records AS (
  SELECT
    customer_id, event_id, toString(event_type) AS _type,
    ifNull(toFloat64(amount), nan) AS _amount, ifNull(toFloat64(quantity), nan) AS _quantity,
    toInt64(toUnixTimestamp64Milli(event_time)) AS _ms, toInt64(kafka_offset) AS _offset,
    row_number() OVER (PARTITION BY customer_id ORDER BY kafka_offset) AS _number
  FROM ${events}${shard}
),
-- A record is a duplicate when its event_id stands on one of the customer's ${view.dedupeRecords} records before it.
_numbered AS (
  SELECT *, lagInFrame(_number, 1, 0) OVER (
    PARTITION BY customer_id, event_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _same_id_before
  FROM _records
),
_unique AS (
  SELECT *, intDiv(_ms, 3600000) AS _hour, intDiv(_ms, 86400000) AS _day, max(_ms) OVER (
    PARTITION BY customer_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS _latest_before
  FROM _numbered
  WHERE NOT (_same_id_before > 0 AND _number - _same_id_before <= ${view.dedupeRecords})
),
-- Accepted events. ${horizon === Infinity ? 'Without windows none is too late' : `Too late: on a day at or before the latest accepted one's, less ${horizon}`} (a late event never is the latest).${sequences.length === 0 ? '' : ' Where order matters: does the event follow all before it, and after how long?'}
_accepted AS (
  SELECT *, greatest(_ms, _latest_before) AS _latest${sequences.map((sequence, i) => `,
    maxIf(_ms, ${matches(sequence.of)}) OVER (
      PARTITION BY customer_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS _before_${i}`).join('')}
  FROM _unique
  WHERE NOT (${tooLate})
),
_history AS (
  SELECT customer_id, _ms, _hour, _day, _offset, _type, _amount, _quantity, _latest${sequences.map((sequence, i) => `,
    (${matches(sequence.of)}) AND _ms >= _before_${i} AS ${sequence.follows},
    if(${sequence.follows} AND _before_${i} > 0, (_ms - _before_${i}) / 86400000, nan) AS ${sequence.gap}`).join('')}
  FROM _accepted
),
_spine AS (
${indent(options.spine)}
),
-- T of each spine row: the later of its clock and the customer's latest accepted event by then.
_clocks AS (
  SELECT _spine.customer_id AS customer_id, _spine.as_of_offset AS as_of_offset, _spine.as_of_ms AS as_of_ms,
    greatest(_latest, _spine.as_of_ms) AS _clock, intDiv(_clock, 3600000) AS _clock_hour, intDiv(_clock, 86400000) AS _clock_day
  FROM _spine ASOF INNER JOIN (SELECT customer_id, _offset, _latest FROM _history) AS _h
    ON _spine.customer_id = _h.customer_id AND _spine.as_of_offset >= _h._offset
),
_joined AS (
  SELECT _clocks.customer_id AS customer_id, as_of_offset, as_of_ms, _clock, _clock_hour, _clock_day, ${joined.join(', ')}
  FROM _clocks INNER JOIN _history ON _clocks.customer_id = _history.customer_id
  WHERE _offset <= as_of_offset
),
_aggregated AS (
  SELECT customer_id, as_of_offset, as_of_ms,
${indent(aggregates.join(',\n'))}
  FROM _joined
  GROUP BY customer_id, as_of_offset, as_of_ms, _clock, _clock_hour, _clock_day
)
SELECT
  customer_id, as_of_offset, as_of_ms,
  ${view.features.map(outerSql).join(',\n  ')}
FROM _aggregated`;
}

const indent = (sql: string): string => sql.split('\n').map((line) => `  ${line}`).join('\n');

function whole(n: number): number {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`shard ${n}: must be a whole number`);
  return n;
}
