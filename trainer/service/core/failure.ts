/** What is to be done about a training that failed. */
export type FailureKind = 'refuse' | 'wait' | 'again';

/** The same data and settings would fail in the same way: the event is answered with the reason. */
const LASTING = new Set(['TRAINING_DATA_INSUFFICIENT', 'TRAINING_DATA_INVALID', 'MODEL_INVALID', 'MODEL_CHECK_FAILED', 'CONFIG_INVALID', 'INPUT_INVALID', 'REQUIREMENT_MISSING', 'SCHEMA_INCOMPATIBLE', 'TOPIC_MISMATCH']);
/** Something else is away: the event waits until it is back. */
const AWAY = new Set(['BROKER_UNREACHABLE', 'REGISTRY_UNREACHABLE', 'CLICKHOUSE_UNREACHABLE', 'ARTIFACTS_UNREACHABLE', 'TRANSACTION_FAILED', 'PRODUCER_FENCED', 'CONSUMER_STALLED', 'DOWNLOAD_FAILED', 'PART_NOT_READY']);

/** Failures of one event that are neither lasting nor for somebody else to mend, after which it is refused. */
export const FAILURES_MAX = 3;

/** @param code of the error; undefined where it has none @param failures of this event so far, this one included */
export function failureKind(code: string | undefined, failures: number): FailureKind {
  if (code !== undefined && LASTING.has(code)) return 'refuse';
  if (code !== undefined && AWAY.has(code)) return 'wait';
  return failures >= FAILURES_MAX ? 'refuse' : 'again';
}

const PAUSE_MS = { first: 1000, most: 60_000 };

/** Time before the next try. */
export const pauseMs = (failures: number): number => Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** Math.min(16, failures - 1));
