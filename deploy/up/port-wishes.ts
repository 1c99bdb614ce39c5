import type { Settings } from '../../runtime/settings.js';
import type { PortWish } from './choose-ports.js';

/** The ports that `tidemark up` listens on with these settings: those of the embedded parts only where they are embedded. */
export function portWishes(settings: Settings): PortWish[] {
  return [
    ...(settings.KAFKA_BROKERS === undefined ? [{ variable: 'KAFKA_PORT', what: 'Kafka', port: settings.KAFKA_PORT }] : []),
    ...(settings.SCHEMA_REGISTRY_URL === undefined ? [{ variable: 'SCHEMA_REGISTRY_PORT', what: 'schema registry', port: settings.SCHEMA_REGISTRY_PORT }] : []),
    ...(settings.CLICKHOUSE_URL === undefined ? [{ variable: 'CLICKHOUSE_PORT', what: 'ClickHouse', port: settings.CLICKHOUSE_PORT }] : []),
    { variable: 'SCORER_PORT', what: 'scorer', port: settings.SCORER_PORT, host: settings.SCORER_HOST },
    { variable: 'FEATURES_METRICS_PORT', what: 'metrics of the feature processor', port: settings.FEATURES_METRICS_PORT },
    { variable: 'LANDING_METRICS_PORT', what: 'metrics of landing', port: settings.LANDING_METRICS_PORT },
    { variable: 'ROLLOUT_METRICS_PORT', what: 'metrics of the rollout', port: settings.ROLLOUT_METRICS_PORT },
    { variable: 'DRIFT_METRICS_PORT', what: 'metrics of the drift service', port: settings.DRIFT_METRICS_PORT },
    { variable: 'TRAINER_METRICS_PORT', what: 'metrics of the trainer', port: settings.TRAINER_METRICS_PORT },
  ];
}
