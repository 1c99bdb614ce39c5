/** Fields of customer-features that stand before the feature values, in wire order. */
export const FEATURE_HEADER_FIELDS = [
  'customer_id', 'event_id', 'event_time', 'trigger', 'view_version', 'produced_at', 'committed_at', 'channel',
] as const;

/** Fields of predictions that stand before the feature values, in wire order. */
export const PREDICTION_HEADER_FIELDS = [
  'prediction_id', 'customer_id', 'event_id', 'event_time', 'scored_at', 'score', 'decision', 'model_version', 'view_version',
  'trigger', 'degraded', 'runtime', 'produced_at', 'features_at', 'channel',
] as const;

/** Names a feature cannot have: each is a field of a topic, or a column of a table or query, that holds feature values beside it. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set<string>([
  ...FEATURE_HEADER_FIELDS, ...PREDICTION_HEADER_FIELDS,
  'kafka_partition', 'kafka_offset', 'kafka_time', 'inserted_at', 'landed_at', 'as_of_offset', 'as_of_ms', 'label', 'outcome',
]);
