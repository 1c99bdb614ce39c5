import { quoteTable } from './quote.js';

/**
 * A spine says whose features are wanted as of when. It is a SELECT with the columns
 * customer_id String; as_of_offset Int64, the last record of the customer's partition that is taken in; as_of_ms Int64, the
 * clock that windows and times since stand on where it is later than the customer's latest event (0: that event itself).
 */
export type SpineSql = string;

/** After every record: what the processor wrote for it. */
export function everyEventSpine(events: string): SpineSql {
  return `SELECT customer_id, toInt64(kafka_offset) AS as_of_offset, toInt64(0) AS as_of_ms\nFROM ${quoteTable(events)}`;
}

/** Every customer with all their records, as a sweep at `clockMs` sees them. */
export function sweepSpine(events: string, clockMs: number): SpineSql {
  return `SELECT customer_id, max(toInt64(kafka_offset)) AS as_of_offset, toInt64(${whole(clockMs)}) AS as_of_ms\nFROM ${quoteTable(events)}\nGROUP BY customer_id`;
}

/**
 * How a snapshot at time s decides what had arrived by then:
 * - customer: the customer's records before their first one past s. Holds in live streams and in replays of the past; a
 *   record that came late, after s, is taken in if nothing newer of that customer came first.
 * - partition: the partition's records before its first one past s: exactly what the processor had when its stream reached s.
 *   One record with a clock far ahead hides what comes after it.
 * - broker: the records that the broker received by s. For topics that were fed live all along.
 */
export type Arrival = 'customer' | 'partition' | 'broker';

/** Every known customer as of each of the times, epoch milliseconds, with nothing of the future in it: no record past s, none that came after the bound. */
export function snapshotSpine(events: string, timesMs: readonly number[], arrival: Arrival = 'customer'): SpineSql {
  const table = quoteTable(events);
  const times = `[${timesMs.map((time) => `toInt64(${whole(time)})`).join(', ')}]`;
  const clock = `toUnixTimestamp64Milli(${arrival === 'broker' ? 'kafka_time' : 'event_time'})`;
  const bound = `if(countIf(${clock} > _s) = 0, max(toInt64(kafka_offset)), minIf(toInt64(kafka_offset), ${clock} > _s) - 1)`;
  if (arrival === 'customer')
    return `SELECT customer_id, ${bound} AS as_of_offset, _s AS as_of_ms\nFROM ${table}\nARRAY JOIN ${times} AS _s\nGROUP BY customer_id, _s`;
  return `SELECT customer_id, as_of_offset, as_of_ms
FROM (SELECT DISTINCT customer_id, kafka_partition FROM ${table}) AS _customers
INNER JOIN (
  SELECT kafka_partition, ${bound} AS as_of_offset, _s AS as_of_ms
  FROM ${table}
  ARRAY JOIN ${times} AS _s
  GROUP BY kafka_partition, _s
) AS _bounds ON _customers.kafka_partition = _bounds.kafka_partition`;
}

function whole(ms: number): string {
  if (!Number.isSafeInteger(ms)) throw new RangeError(`a time of ${ms}: must be whole epoch milliseconds`);
  return String(ms);
}
