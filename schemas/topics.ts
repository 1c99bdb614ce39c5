/** Every topic of the system, with what its records are keyed by and how long they are kept. */
export interface TopicSpec {
  readonly name: string;
  /** Whether the partition count follows the setting KAFKA_PARTITIONS; topics that are not spread have one. */
  readonly partitioned: boolean;
  readonly config: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;
const timed = (days: number): Record<string, string> => ({ 'cleanup.policy': 'delete', 'retention.ms': String(days * DAY_MS) });
const compacted = { 'cleanup.policy': 'compact' };
/** The broker stamps records, so that one bound on event_time is the same for every reader and no producer's clock moves it. */
const stampedByBroker = { 'message.timestamp.type': 'LogAppendTime' };

export const TOPICS = {
  events: { name: 'customer-events', partitioned: true, config: { ...timed(30), ...stampedByBroker } },
  deadLetters: { name: 'customer-events.dlq', partitioned: true, config: timed(365) },
  /** Which dead letters were sent back, key `<dlq partition>-<dlq offset>`. */
  redriven: { name: 'customer-events.dlq.redriven', partitioned: false, config: compacted },
  features: { name: 'customer-features', partitioned: true, config: compacted },
  changelog: { name: 'customer-features.changelog', partitioned: true, config: compacted },
  predictions: { name: 'predictions', partitioned: true, config: timed(30) },
  /** What champion and challenger both scored, while there is a challenger. */
  shadow: { name: 'predictions.shadow', partitioned: true, config: timed(7) },
  models: { name: 'models', partitioned: false, config: compacted },
  /** Which version serves, and why: every entry is kept. */
  ledger: { name: 'models.ledger', partitioned: false, config: { 'cleanup.policy': 'delete', 'retention.ms': '-1' } },
  retrain: { name: 'retrain-events', partitioned: false, config: timed(3650) },
  outcomes: { name: 'customer-outcomes', partitioned: true, config: timed(365) },
} as const satisfies Record<string, TopicSpec>;

/** The registry subject under which a topic's value schema stands (topic name strategy). */
export const subjectOf = (topic: string): string => `${topic}-value`;
