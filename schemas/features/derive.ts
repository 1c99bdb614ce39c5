import type { FeatureView } from './declaration.js';

/** The order of the trigger enum's symbols on the wire: an event of the customer, or the sweep over silent customers. */
export const TRIGGERS = ['event', 'sweep'] as const;
export type Trigger = (typeof TRIGGERS)[number];

type AvroType = string | { readonly type: string; readonly logicalType?: string; readonly name?: string; readonly symbols?: readonly string[]; readonly default?: string };
export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  readonly default?: number | string | boolean;
  readonly doc?: string;
}
export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly doc: string;
  readonly fields: readonly AvroField[];
}

const timestamp: AvroType = { type: 'long', logicalType: 'timestamp-millis' };
const trigger: AvroType = { type: 'enum', name: 'Trigger', symbols: [...TRIGGERS], default: 'event' };
const channel: AvroField = { name: 'channel', type: 'string', default: '', doc: 'Of the triggering event; empty in a sweep.' };

/** Feature names in vector order: the order of the model's inputs, of the Avro fields and of the ClickHouse columns. */
export const featureNames = (view: FeatureView): string[] => view.features.map((feature) => feature.name);

/**
 * Avro schema of customer-features. `event_time` is the customer's triggering event's time (in a sweep the clock),
 * `produced_at` when the event was appended to customer-events, `committed_at` when the processor wrote this record,
 * `channel` the triggering event's (empty in a sweep, where there is none).
 */
export function featuresAvro(view: FeatureView): AvroRecord {
  return {
    type: 'record',
    name: 'CustomerFeatures',
    namespace: 'tidemark',
    doc: `Feature view ${view.name}. NaN: the customer has no such value yet.`,
    fields: [
      { name: 'customer_id', type: 'string' },
      { name: 'event_id', type: 'string' },
      { name: 'event_time', type: timestamp },
      { name: 'trigger', type: trigger },
      { name: 'view_version', type: 'int' },
      { name: 'produced_at', type: timestamp },
      { name: 'committed_at', type: timestamp },
      channel,
      ...featureFields(view),
    ],
  };
}

/** Avro schema of predictions: the score, what made it, and the feature values it was made from. */
export function predictionsAvro(view: FeatureView): AvroRecord {
  return {
    type: 'record',
    name: 'Prediction',
    namespace: 'tidemark',
    doc: `A score and the values of feature view ${view.name} that it was made from. NaN: missing.`,
    fields: [
      { name: 'prediction_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'event_id', type: 'string' },
      { name: 'event_time', type: timestamp },
      { name: 'scored_at', type: timestamp },
      { name: 'score', type: 'double' },
      { name: 'decision', type: 'string' },
      { name: 'model_version', type: 'string' },
      { name: 'view_version', type: 'int' },
      { name: 'trigger', type: trigger },
      { name: 'degraded', type: 'boolean' },
      { name: 'runtime', type: 'string', default: '', doc: 'What computed the score: ONNX Runtime, platform, release.' },
      { name: 'produced_at', type: timestamp },
      { name: 'features_at', type: timestamp },
      channel,
      ...featureFields(view),
    ],
  };
}

/**
 * A default on each value lets a reader of the next version read this one's records (BACKWARD). Avro's JSON has no NaN,
 * so the schema says 0; our own readers give NaN (`featuresUnknownTo`, docs/decisions/feature-defaults.md).
 */
const featureFields = (view: FeatureView): AvroField[] =>
  view.features.map(({ name, description }) => ({ name, type: 'double', default: 0, doc: description }));

/** Features that the writer of a record did not know: a reader that resolved the record to its own schema sets these to NaN. */
export function featuresUnknownTo(writer: { readonly fields: readonly { readonly name: string }[] }, view: FeatureView): string[] {
  const known = new Set(writer.fields.map((field) => field.name));
  return featureNames(view).filter((name) => !known.has(name));
}

export interface ClickHouseColumn {
  readonly name: string;
  readonly type: 'Float64';
  /** SQL expression for rows that were written before the column existed. */
  readonly defaultExpression: 'nan';
  readonly comment: string;
}

/** One column per feature of every table that holds feature values, in vector order. */
export const clickhouseFeatureColumns = (view: FeatureView): ClickHouseColumn[] =>
  view.features.map(({ name, description }) => ({ name, type: 'Float64', defaultExpression: 'nan', comment: description }));
