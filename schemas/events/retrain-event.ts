/** Every decision about a retraining, those against it included; key `<model>`. What asks for one has the decision `retrain`. */
export const RETRAIN_REASONS = ['drift', 'performance', 'schedule', 'manual'] as const;
export type RetrainReason = (typeof RETRAIN_REASONS)[number];

export const RETRAIN_DECISIONS = ['retrain', 'skip'] as const;
export type RetrainDecision = (typeof RETRAIN_DECISIONS)[number];

/** One statistic that the decision rests on; the columns of drift_reports. */
export interface RetrainEvidence {
  /** The feature, `score`, `performance` or `multivariate`. */
  feature: string;
  /** Empty for all customers, else `channel=web`, `tenure=0-30`. */
  segment: string;
  statistic: string;
  value: number;
  threshold: number;
  /** Null where the statistic has no p-value. */
  p: number | null;
  /** Rows of the window. */
  n: number;
}

export interface RetrainEvent {
  /** The same decision made twice has the same id: it follows from dedupe_key. */
  event_id: string;
  /** Epoch milliseconds, wall clock. */
  decided_at: number;
  reason: RetrainReason;
  decision: RetrainDecision;
  model: string;
  /** The version in service when it was decided. */
  model_version: string;
  /** The window looked at, epoch milliseconds of event time, [from, to). */
  window_from: number;
  window_to: number;
  evidence: RetrainEvidence[];
  /** One sentence for people: why, or why not. */
  explanation: string;
  /** What a retraining may be expected to win, in the unit of TRAIN_METRIC, at least 0; null where nothing can be said. */
  expected_gain: number | null;
  /** Equal keys are one retrain. */
  dedupe_key: string;
  /** Event time until which no further drift retrain is asked for, epoch milliseconds. */
  cooldown_until: number;
  /** `drift`, `schedule`, or who ran the command. */
  requested_by: string;
}

const time = { type: 'long', logicalType: 'timestamp-millis' } as const;
export const RETRAIN_EVENT_AVRO = {
  type: 'record',
  name: 'RetrainEvent',
  namespace: 'tidemark',
  fields: [
    { name: 'event_id', type: 'string' },
    { name: 'decided_at', type: time },
    { name: 'reason', type: { type: 'enum', name: 'RetrainReason', symbols: [...RETRAIN_REASONS] } },
    { name: 'decision', type: { type: 'enum', name: 'RetrainDecision', symbols: [...RETRAIN_DECISIONS] } },
    { name: 'model', type: 'string' },
    { name: 'model_version', type: 'string' },
    { name: 'window_from', type: time },
    { name: 'window_to', type: time },
    {
      name: 'evidence',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'RetrainEvidence',
          fields: [
            { name: 'feature', type: 'string' },
            { name: 'segment', type: 'string' },
            { name: 'statistic', type: 'string' },
            { name: 'value', type: 'double' },
            { name: 'threshold', type: 'double' },
            { name: 'p', type: ['null', 'double'] },
            { name: 'n', type: 'long' },
          ],
        },
      },
    },
    { name: 'explanation', type: 'string' },
    { name: 'expected_gain', type: ['null', 'double'] },
    { name: 'dedupe_key', type: 'string' },
    { name: 'cooldown_until', type: time },
    { name: 'requested_by', type: 'string' },
  ],
} as const;
