import { messageOf, TidemarkError } from '../../../runtime/errors.js';
import type { KafkaRecord } from '../../../runtime/kafka/records.js';
import type { RecordCodec } from '../../../runtime/registry/record-codec.js';
import { latestEventTime } from '../../../schemas/events/check-event.js';
import { EVENT_BOUNDS } from '../../../schemas/events/customer-event.js';
import type { CustomerOutcome } from '../../../schemas/events/outcome.js';
import { describeViolation, isViolation } from '../../../schemas/events/read-event.js';
import { readOutcome } from '../../../schemas/events/read-outcome.js';
import { TOPICS } from '../../../schemas/topics.js';
import type { TableSpec } from '../table.js';
import { KAFKA_COLUMNS, writeKafkaColumns } from './kafka-columns.js';

export interface OutcomesOptions {
  readonly codec: RecordCodec<CustomerOutcome>;
  /** EVENT_TIME_MAX_AHEAD_S in milliseconds. */
  readonly aheadMsMax: number;
  /** A record that is no outcome: it stays on the topic, at the place that the text names. */
  readonly skipped: (reason: 'unreadable' | 'rule_broken', error: string) => void;
}

const OPEN_BRACE = 0x7b;

/** What the business itself says became of a customer: Avro in Confluent wire format, or plain JSON objects. */
export function outcomesTable({ codec, aheadMsMax, skipped }: OutcomesOptions): TableSpec {
  async function fieldsOf(value: Buffer): Promise<Record<string, unknown>> {
    if (value[0] !== OPEN_BRACE) return { ...(await codec.decode(value)) };
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value)) as Record<string, unknown>;
  }

  async function read({ value, timestamp }: KafkaRecord): Promise<CustomerOutcome | { reason: 'unreadable' | 'rule_broken'; error: string }> {
    if (value === null || value.length === 0) return { reason: 'unreadable', error: 'the record has no value' };
    if (value.length > EVENT_BOUNDS.record_bytes_max) return { reason: 'unreadable', error: `the value has ${value.length} bytes, at most ${EVENT_BOUNDS.record_bytes_max} are taken` };
    let fields: Record<string, unknown>;
    try {
      fields = await fieldsOf(value);
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
      return { reason: 'unreadable', error: messageOf(error) };
    }
    const outcome = readOutcome(fields, latestEventTime(timestamp, aheadMsMax));
    return isViolation(outcome) ? { reason: 'rule_broken', error: describeViolation(outcome, fields) } : outcome;
  }

  return {
    topic: TOPICS.outcomes.name,
    table: 'outcomes',
    columns: ['customer_id', 'outcome', 'observed_at', ...KAFKA_COLUMNS],
    async encode(record, partition, out) {
      const outcome = await read(record);
      if ('reason' in outcome) {
        skipped(outcome.reason, `${TOPICS.outcomes.name}-${partition}@${record.offset}: ${outcome.error}`);
        return false;
      }
      out.string(outcome.customer_id);
      out.reserve(9);
      out.uint8(outcome.outcome);
      out.int64(outcome.observed_at);
      writeKafkaColumns(out, partition, record);
      return true;
    },
  };
}
