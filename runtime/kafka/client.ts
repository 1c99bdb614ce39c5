import type { Kafka, KafkaConfig, LogEntry, RetryOptions, SASLOptions } from 'kafkajs';
import { messageOf, TidemarkError } from '../errors.js';
import type { Log } from '../log.js';
import { readPem } from '../pem.js';
import type { Settings } from '../settings.js';
import { rememberCoordinators } from './cluster.js';
import { kafkajs } from './kafkajs.js';

/** Waits out a broker's restart. */
const PATIENT: RetryOptions = { initialRetryTime: 100, multiplier: 2, maxRetryTime: 2000, retries: 12 };
/** A transaction that follows another finds the coordinator still writing the last one's markers for a few milliseconds. */
const TRANSACTIONAL: RetryOptions = { initialRetryTime: 2, multiplier: 1.3, factor: 0.1, maxRetryTime: 100, retries: 25 };

/** @param settings KAFKA_BROKERS must be set: `up` and endpoints.json fill it in for the embedded broker */
export function createKafka(settings: Settings, log: Log, profile: 'patient' | 'transactional' = 'patient'): Kafka {
  const config: KafkaConfig = {
    clientId: 'tidemark',
    brokers: (settings.KAFKA_BROKERS ?? `127.0.0.1:${settings.KAFKA_PORT}`).split(',').map((broker) => broker.trim()),
    retry: profile === 'transactional' ? TRANSACTIONAL : PATIENT,
    connectionTimeout: 5000,
    requestTimeout: 30_000,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => writeEntry(log, entry),
  };
  if (settings.KAFKA_TLS)
    config.ssl = {
      ...(settings.KAFKA_CA_FILE === undefined ? {} : { ca: readPem('KAFKA_CA_FILE', settings.KAFKA_CA_FILE) }),
      ...(settings.KAFKA_CERT_FILE === undefined ? {} : { cert: readPem('KAFKA_CERT_FILE', settings.KAFKA_CERT_FILE) }),
      ...(settings.KAFKA_KEY_FILE === undefined ? {} : { key: readPem('KAFKA_KEY_FILE', settings.KAFKA_KEY_FILE) }),
    };
  if (settings.KAFKA_SASL_MECHANISM !== undefined)
    config.sasl = {
      mechanism: settings.KAFKA_SASL_MECHANISM,
      username: settings.KAFKA_SASL_USERNAME ?? '',
      password: settings.KAFKA_SASL_PASSWORD ?? '',
    } as SASLOptions;
  const kafka = new kafkajs.Kafka(config);
  return profile === 'transactional' ? rememberCoordinators(kafka) : kafka;
}

/** A TidemarkError as it is; what kafkajs could not do, with what to look at. */
export function brokerFailure(settings: Settings, what: string, error: unknown): unknown {
  if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) return error;
  const said = messageOf(error);
  const advice = /SASL/i.test(said) ? 'check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD'
    : /certificate|altname|ssl|tls/i.test(said) ? 'check KAFKA_TLS and KAFKA_CA_FILE, the certificates that sign the brokers'
      : 'check KAFKA_BROKERS, KAFKA_TLS, and that the brokers run: tidemark doctor';
  return new TidemarkError('BROKER_UNREACHABLE', `Kafka ${settings.KAFKA_BROKERS ?? `on port ${settings.KAFKA_PORT}`}: ${what}: ${said}; ${advice}`, { cause: error });
}

/** kafkajs logs at ERROR what it then retries with success, and every pause at INFO. */
const RETRIED = /CONCURRENT_TRANSACTIONS|another concurrent operation|group is rebalancing|Rebalance In Progress|rebalance in progress|coordinator is (loading|not available)|not the correct coordinator|not aware of this member|Limiting retries|switched default partitioner/i;

function writeEntry(log: Log, { level, namespace, log: { message, logger: _logger, timestamp: _timestamp, stack: _stack, ...fields } }: LogEntry): void {
  const detail = { kafkajs: namespace, message, ...bounded(fields) };
  const error = String((fields as { error?: unknown }).error ?? '');
  if (level === kafkajs.logLevel.ERROR && !RETRIED.test(message) && !RETRIED.test(error)) log.warn('kafka_client', detail);
  else if (level === kafkajs.logLevel.WARN && !RETRIED.test(message)) log.warn('kafka_client', detail);
  else log.debug('kafka_client', detail);
}

function bounded(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)));
}
