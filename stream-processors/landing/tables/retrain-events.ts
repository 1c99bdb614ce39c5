import { RETRAIN_EVENT_AVRO, type RetrainEvent } from '../../../schemas/events/retrain-event.js';
import { subjectOf, TOPICS } from '../../../schemas/topics.js';
import { TidemarkError } from '../../../runtime/errors.js';
import { createRecordCodec } from '../../../runtime/registry/record-codec.js';
import type { Registry } from '../../../runtime/registry/registry.js';
import type { RowWriter } from '../core/row-writer.js';
import type { TableSpec } from '../table.js';
import { KAFKA_COLUMNS, writeKafkaColumns } from './kafka-columns.js';

/** Decisions about retrainings. @param skipped a record that is no such decision */
export function retrainEventsTable(registry: Registry, skipped: (error: string) => void): TableSpec {
  const codec = createRecordCodec<RetrainEvent>(registry, subjectOf(TOPICS.retrain.name), RETRAIN_EVENT_AVRO);
  return {
    topic: TOPICS.retrain.name,
    table: 'retrain_events',
    columns: ['event_id', 'decided_at', 'reason', 'decision', 'model', 'model_version', 'window_from', 'window_to', 'evidence', 'explanation', 'expected_gain',
      'dedupe_key', 'cooldown_until', 'requested_by', ...KAFKA_COLUMNS],
    async encode(record, partition, out) {
      if (record.value === null) return false;
      let event: RetrainEvent;
      try {
        event = await codec.decode(record.value);
      } catch (error) {
        if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
        skipped(error instanceof Error ? error.message : String(error));
        return false;
      }
      writeEvent(out, event);
      writeKafkaColumns(out, partition, record);
      return true;
    },
  };
}

function writeEvent(out: RowWriter, event: RetrainEvent): void {
  out.string(event.event_id);
  out.reserve(8);
  out.int64(event.decided_at);
  for (const text of [event.reason, event.decision, event.model, event.model_version]) out.string(text);
  out.reserve(21);
  out.int64(event.window_from);
  out.int64(event.window_to);
  out.varint(event.evidence.length);
  for (const { feature, segment, statistic, value, threshold, p, n } of event.evidence) {
    for (const text of [feature, segment, statistic]) out.string(text);
    out.reserve(33);
    out.float64(value);
    out.float64(threshold);
    writeNullable(out, p);
    out.int64(n);
  }
  out.string(event.explanation);
  out.reserve(9);
  writeNullable(out, event.expected_gain);
  out.string(event.dedupe_key);
  out.reserve(8);
  out.int64(event.cooldown_until);
  out.string(event.requested_by);
}

function writeNullable(out: RowWriter, value: number | null): void {
  out.uint8(value === null ? 1 : 0);
  if (value !== null) out.float64(value);
}
