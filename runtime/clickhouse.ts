import { ClickHouseError, ClickHouseLogLevel, createClient, type ClickHouseClient, type ClickHouseSettings } from '@clickhouse/client';
import { messageOf, TidemarkError } from './errors.js';
import { readPem } from './pem.js';
import { LOOPBACK } from './ports.js';
import type { Settings } from './settings.js';

export type { ClickHouseClient } from '@clickhouse/client';

export type ClickHouseTarget = Pick<Settings, 'CLICKHOUSE_URL' | 'CLICKHOUSE_PORT' | 'CLICKHOUSE_USER' | 'CLICKHOUSE_PASSWORD' | 'CLICKHOUSE_DATABASE' | 'CLICKHOUSE_CA_FILE'>;

const REQUEST_TIMEOUT_MS = 120_000;
/** Under every server's own idle timeout that is usual (ClickHouse 10 s, balancers more), so that no request meets a socket being closed. */
const IDLE_SOCKET_MS = 2_500;

const DEFAULT_SETTINGS: ClickHouseSettings = {
  // Values survive the trip: 64-bit integers as strings in JSON, NaN and infinities as strings, ISO times on input.
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_denormals: 1,
  date_time_input_format: 'best_effort',
  // An answer is whole or an error with its code. Of an error in the middle of a result the client finds the code only
  // if its marks arrive in one piece of the stream.
  wait_end_of_query: 1,
};

export const clickHouseUrl = (target: ClickHouseTarget): string => target.CLICKHOUSE_URL ?? `http://${LOOPBACK}:${target.CLICKHOUSE_PORT}`;

/**
 * The official client for the ClickHouse of the settings. Bodies are compressed unless the server is on this machine.
 * @param options.database another database than the settings' (the one that exists before the first migration)
 * @throws TidemarkError CONFIG_INVALID when the CA file cannot be read
 */
export function createClickHouse(target: ClickHouseTarget, options: { database?: string; maxOpenConnections?: number; requestTimeoutMs?: number } = {}): ClickHouseClient {
  const url = clickHouseUrl(target);
  const host = new URL(url).hostname;
  const compress = !(host === LOOPBACK || host === 'localhost' || host === '[::1]');
  return createClient({
    url,
    username: target.CLICKHOUSE_USER,
    password: target.CLICKHOUSE_PASSWORD ?? '',
    database: options.database ?? target.CLICKHOUSE_DATABASE,
    application: 'tidemark',
    request_timeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    max_open_connections: options.maxOpenConnections ?? 10,
    keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_MS },
    compression: { request: compress, response: compress },
    clickhouse_settings: DEFAULT_SETTINGS,
    // Errors come back as exceptions with their place; the client would print them a second time.
    log: { level: ClickHouseLogLevel.OFF },
    ...(target.CLICKHOUSE_CA_FILE === undefined ? {} : { tls: { ca_cert: readPem('CLICKHOUSE_CA_FILE', target.CLICKHOUSE_CA_FILE) } }),
  });
}

/** Codes of ClickHouse that pass by themselves: the same statement may succeed later. */
const PASSING_CODES = new Set([159, 202, 209, 210, 241, 242, 252, 319, 439, 999]);

/**
 * Runs work on ClickHouse; what it throws becomes a TidemarkError.
 * @param where what was being done, for the message: `insert into events`
 * @throws TidemarkError CLICKHOUSE_UNREACHABLE (no answer), CLICKHOUSE_QUERY_FAILED (ClickHouse refused; details.code is its code)
 */
export async function onClickHouse<T>(target: ClickHouseTarget, where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw clickHouseError(target, where, cause);
  }
}

export function clickHouseError(target: ClickHouseTarget, where: string, cause: unknown): TidemarkError {
  if (cause instanceof TidemarkError) return cause;
  const origin = new URL(clickHouseUrl(target)).origin;
  if (cause instanceof ClickHouseError) {
    const code = Number(cause.code);
    return new TidemarkError('CLICKHOUSE_QUERY_FAILED', `${where}: ClickHouse ${origin} answered ${code} ${cause.type ?? ''}: ${cause.message.trim()}`,
      { cause, details: { code, passing: PASSING_CODES.has(code) } });
  }
  return new TidemarkError('CLICKHOUSE_UNREACHABLE', `${where}: no answer from ClickHouse at ${origin} (${messageOf(cause)}); is it running, and are CLICKHOUSE_URL, CLICKHOUSE_USER and CLICKHOUSE_CA_FILE right?`,
    { cause, details: { passing: true } });
}

/** Whether trying the same again later may succeed: ClickHouse was away, or refused for the moment. */
export const isPassing = (error: unknown): boolean => error instanceof TidemarkError && error.details['passing'] === true;
