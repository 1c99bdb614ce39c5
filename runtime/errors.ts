/** The closed list of error codes. docs/error-codes.md explains each; a test holds the two equal. */
export const ERROR_CODES = [
  'CONFIG_INVALID',
  'REQUIREMENT_MISSING',
  'PORT_TAKEN',
  'DOWNLOAD_FAILED',
  'PART_NOT_READY',
  'BROKER_UNREACHABLE',
  'TOPIC_MISMATCH',
  'PARTITION_COUNT_CHANGED',
  'OFFSET_EXPIRED',
  'PRODUCER_FENCED',
  'TRANSACTION_FAILED',
  'CONSUMER_STALLED',
  'REGISTRY_UNREACHABLE',
  'SCHEMA_INCOMPATIBLE',
  'SCHEMA_UNKNOWN',
  'RECORD_UNDECODABLE',
  'STATE_VERSION_UNKNOWN',
  'CLICKHOUSE_UNREACHABLE',
  'CLICKHOUSE_QUERY_FAILED',
  'MIGRATION_CHANGED',
  'INPUT_INVALID',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'TRAINING_DATA_INSUFFICIENT',
  'TRAINING_DATA_INVALID',
  'MODEL_INVALID',
  'MODEL_CHECK_FAILED',
  'MODEL_NOT_EXPLAINABLE',
  'ARTIFACTS_UNREACHABLE',
  'MLFLOW_UNREACHABLE',
  'NOT_FOUND',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error that a person can act on: the message says where, what was got, what was expected and what to do. */
export class TidemarkError extends Error {
  override readonly name = 'TidemarkError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown; details?: Record<string, unknown> },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.details = options?.details ?? {};
  }
  readonly details: Record<string, unknown>;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
