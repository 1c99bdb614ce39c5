import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ProtocolError } from './protocol-error.js';

/** One request of the HTTP protocol, its parts told apart; the body is read later. */
export interface ProtocolRequest {
  readonly method: string;
  readonly path: string;
  /** The `query` parameter; the body follows it. */
  readonly query: string;
  readonly queryId: string;
  readonly database: string;
  readonly defaultFormat: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly session: SessionWish | undefined;
  /** Values of {name:Type}, in ClickHouse's escaped text form. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly compressResponse: boolean;
  /** The client wants the whole result made before the first byte, so that an error has its status. */
  readonly waitForEnd: boolean;
  /** The client's revision of Native blocks; 0 where it does not say. */
  readonly nativeRevision: number;
  /** Parameters that were none of the above's: formats and structures of external tables. */
  readonly externals: Readonly<Record<string, string>>;
}

export interface SessionWish { readonly id: string; readonly timeoutS: number; readonly mustExist: boolean; readonly closeAfter: boolean }

/** Parameters that speak to the protocol and not to the engine; the rest are settings. */
const TRANSPORT = new Set([
  'query', 'query_id', 'database', 'default_format', 'user', 'password', 'quota_key', 'role', 'session_id', 'session_timeout',
  'session_check', 'close_session', 'compress', 'decompress', 'enable_http_compression', 'http_zlib_compression_level', 'wait_end_of_query',
  'buffer_size', 'stacktrace', 'client_protocol_version', 'send_progress_in_http_headers', 'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close', 'http_native_compression_disable_checksumming_on_decompress', 'http_response_buffer_size', 'readonly',
]);
const NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const EXTERNAL = /_(?:format|structure|types)$/;
const SESSION_TIMEOUT_S = 60;
const SESSION_TIMEOUT_MAX_S = 3600;

export function readRequest(message: IncomingMessage, body: Readonly<Record<string, string>> = {}): ProtocolRequest {
  const url = new URL(message.url ?? '/', 'http://localhost');
  const given = new Map([...url.searchParams, ...Object.entries(body)]);
  const parameters: Record<string, string> = {};
  const settings: Record<string, string> = {};
  const externals: Record<string, string> = {};
  for (const [name, value] of given) {
    if (name.startsWith('param_')) parameters[checkName(name.slice(6))] = value;
    else if (TRANSPORT.has(name)) continue;
    else if (EXTERNAL.test(name) && !SETTINGS_LIKE_EXTERNAL.has(name)) externals[checkName(name)] = value;
    else settings[checkName(name)] = value;
  }
  const is = (name: string): boolean => /^(?:1|true)$/i.test(given.get(name) ?? '');
  if (is('compress') || is('decompress'))
    throw new ProtocolError(48, 'NOT_IMPLEMENTED', 'ClickHouse\'s own block compression (compress=1, decompress=1) is not offered by the embedded server: choose gzip, deflate or br in the client, or none.');
  const sessionId = given.get('session_id');
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: given.get('query') ?? '',
    queryId: given.get('query_id') || headerOf(message, 'x-clickhouse-query-id') || randomUUID(),
    database: given.get('database') || headerOf(message, 'x-clickhouse-database') || 'default',
    defaultFormat: given.get('default_format') || headerOf(message, 'x-clickhouse-format'),
    ...readCredentials(message, given),
    session: sessionId === undefined || sessionId === '' ? undefined
      : { id: sessionId, timeoutS: sessionTimeout(given.get('session_timeout')), mustExist: is('session_check'), closeAfter: is('close_session') },
    parameters,
    settings: given.has('readonly') ? { ...settings, readonly: given.get('readonly') ?? '' } : settings,
    compressResponse: is('enable_http_compression'),
    waitForEnd: is('wait_end_of_query'),
    nativeRevision: Number(given.get('client_protocol_version') ?? 0) || 0,
    externals,
  };
}

/** Settings of the engine whose names look like those of an external table. */
const SETTINGS_LIKE_EXTERNAL = new Set(['date_time_output_format', 'date_time_input_format', 'default_format']);

function checkName(name: string): string {
  if (!NAME.test(name) || name.length > 256) throw new ProtocolError(115, 'UNKNOWN_SETTING', `${JSON.stringify(name.slice(0, 64))} in the URL is no name of a setting or parameter.`);
  return name;
}

export function headerOf(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function sessionTimeout(text: string | undefined): number {
  if (text === undefined) return SESSION_TIMEOUT_S;
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > SESSION_TIMEOUT_MAX_S)
    throw new ProtocolError(374, 'INVALID_SESSION_TIMEOUT', `Invalid session timeout: '${text}', expected whole seconds up to ${SESSION_TIMEOUT_MAX_S}.`);
  return seconds;
}

/** X-ClickHouse-User/-Key, or Basic, or URL parameters: one of them, as ClickHouse has it. */
function readCredentials(message: IncomingMessage, given: ReadonlyMap<string, string>): { user: string; password: string } {
  const user = headerOf(message, 'x-clickhouse-user');
  const key = headerOf(message, 'x-clickhouse-key');
  const basic = /^Basic (.*)$/i.exec(headerOf(message, 'authorization') ?? '')?.[1];
  const inUrl = given.has('user') || given.has('password');
  if ([user !== undefined || key !== undefined, basic !== undefined, inUrl].filter(Boolean).length > 1)
    throw new ProtocolError(516, 'AUTHENTICATION_FAILED', 'Invalid authentication: it is not allowed to use X-ClickHouse headers, the Authorization header and URL parameters together.');
  if (user !== undefined || key !== undefined) return { user: user ?? 'default', password: key ?? '' };
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return colon < 0 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return { user: given.get('user') || 'default', password: given.get('password') ?? '' };
}
