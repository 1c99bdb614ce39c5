import { LEDGER_ENTRY_AVRO } from '../../../schemas/events/ledger-entry.js';
import { SHADOW_PREDICTION_AVRO } from '../../../schemas/events/shadow-prediction.js';
import { TOPICS } from '../../../schemas/topics.js';
import type { Registry } from '../../../runtime/registry/registry.js';
import type { TableSpec } from '../table.js';
import { flatTable } from './flat-table.js';

/** Entries of the ledger, repeated ones included: readers take the first of an id. */
export const modelLedgerTable = (registry: Registry, skipped: (error: string) => void): TableSpec =>
  flatTable({
    registry, skipped, topic: TOPICS.ledger.name, table: 'model_ledger', schema: LEDGER_ENTRY_AVRO,
    fields: [
      ['entry_id', 'string'], ['at', 'int64'], ['model', 'string'], ['version', 'string'], ['action', 'string'], ['share', 'double'], ['champion', 'string'],
      ['by', 'string', 'decided_by'], ['reason', 'string'], ['evidence', 'string'], ['retrain_event_id', 'string'],
    ],
  });

/** Rows that champion and challenger both scored. */
export const shadowPredictionsTable = (registry: Registry, skipped: (error: string) => void): TableSpec =>
  flatTable({
    registry, skipped, topic: TOPICS.shadow.name, table: 'shadow_predictions', schema: SHADOW_PREDICTION_AVRO,
    fields: [
      ['prediction_id', 'string'], ['customer_id', 'string'], ['event_time', 'int64'], ['scored_at', 'int64'], ['mode', 'string'], ['share', 'double'],
      ['champion_version', 'string'], ['challenger_version', 'string'], ['champion_score', 'double'], ['challenger_score', 'double'],
      ['champion_degraded', 'bool'], ['challenger_degraded', 'bool'], ['champion_us', 'double'], ['challenger_us', 'double'],
    ],
  });
