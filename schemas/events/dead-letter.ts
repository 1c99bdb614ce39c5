/**
 * What stands on `customer-events.dlq`: the untouched key and value of a record that is no event, with headers that say
 * why and from where. All header values are UTF-8 text.
 */
export const DEAD_LETTER_REASONS = [
  'empty', // no value, or one without a byte
  'too_large', // above EVENT_BOUNDS.record_bytes_max
  'bad_magic', // neither the Confluent header nor JSON
  'truncated', // the Confluent header is cut off
  'unknown_schema', // the registry has no such schema id
  'incompatible_schema', // the writer schema cannot be read as an event
  'undecodable', // the bytes are not one value of their schema
  'not_json', // begins like JSON and is not
  'not_an_object', // JSON, but no object
  'rule_broken', // an event that breaks a rule of check-event.ts
  'too_late', // older than the longest window of the customer's features
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** Why a record is not taken. */
export interface Rejection {
  readonly reason: DeadLetterReason;
  /** One line for a producer: the field, the rule, what was got. */
  readonly error: string;
}

export const DEAD_LETTER_HEADERS = {
  reason: 'tidemark.reason',
  error: 'tidemark.error',
  topic: 'tidemark.source.topic',
  partition: 'tidemark.source.partition',
  offset: 'tidemark.source.offset',
  timestamp: 'tidemark.source.timestamp',
  failedAt: 'tidemark.failed_at',
} as const;

/** Header of a record that was sent back to customer-events: `<dlq partition>-<dlq offset>` of the dead letter it came from. */
export const REDRIVE_HEADER = 'tidemark.redriven_from';

const ERROR_LENGTH_MAX = 1000;

export interface DeadLetterSource {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The source record's own time, epoch milliseconds. */
  readonly timestamp: number;
}

/** The headers of a dead letter; those of the source record are kept beside them. @param failedAtMs epoch milliseconds */
export function deadLetterHeaders<Value = string>(
  { reason, error }: Rejection,
  source: DeadLetterSource,
  failedAtMs: number,
  kept: Readonly<Record<string, Value>> = {},
): Record<string, Value | string> {
  return {
    ...kept,
    [DEAD_LETTER_HEADERS.reason]: reason,
    [DEAD_LETTER_HEADERS.error]: error.slice(0, ERROR_LENGTH_MAX).toWellFormed(),
    [DEAD_LETTER_HEADERS.topic]: source.topic,
    [DEAD_LETTER_HEADERS.partition]: String(source.partition),
    [DEAD_LETTER_HEADERS.offset]: String(source.offset),
    [DEAD_LETTER_HEADERS.timestamp]: String(source.timestamp),
    [DEAD_LETTER_HEADERS.failedAt]: String(failedAtMs),
  };
}

export interface DeadLetterInfo<Value> extends DeadLetterSource, Rejection {
  /** Epoch milliseconds. */
  readonly failedAt: number;
  /** Headers that the source record had, as they are. */
  readonly kept: Readonly<Record<string, Value>>;
}

const reasons = new Set<string>(DEAD_LETTER_REASONS);
const ours = new Set<string>(Object.values(DEAD_LETTER_HEADERS));

/**
 * A dead letter's headers read back; undefined where they are not those of a dead letter.
 * @param text how a header's value becomes text (UTF-8)
 */
export function readDeadLetterHeaders<Value>(headers: Readonly<Record<string, Value>>, text: (value: Value) => string): DeadLetterInfo<Value> | undefined {
  const given = (name: string): string | undefined => (Object.hasOwn(headers, name) ? text(headers[name]!) : undefined);
  const reason = given(DEAD_LETTER_HEADERS.reason);
  if (reason === undefined || !reasons.has(reason)) return undefined;
  const number = (name: string): number => Number(given(name) ?? NaN);
  return {
    reason: reason as DeadLetterReason,
    error: given(DEAD_LETTER_HEADERS.error) ?? '',
    topic: given(DEAD_LETTER_HEADERS.topic) ?? '',
    partition: number(DEAD_LETTER_HEADERS.partition),
    offset: number(DEAD_LETTER_HEADERS.offset),
    timestamp: number(DEAD_LETTER_HEADERS.timestamp),
    failedAt: number(DEAD_LETTER_HEADERS.failedAt),
    kept: Object.fromEntries(Object.entries(headers).filter(([name]) => !ours.has(name))),
  };
}
