import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { TidemarkError } from '../runtime/errors.js';
import { LOOPBACK } from '../runtime/ports.js';
import type { Settings } from '../runtime/settings.js';

export interface SqlOptions {
  /** Output format of statements that name none. */
  readonly format?: string;
  /** Values of `{name:Type}` in the statement. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** False where the database does not exist yet. */
  readonly inDatabase?: boolean;
}

/**
 * Sends one statement of any kind to ClickHouse and hands back the answer's stream as it comes, in the format asked for.
 * @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED with ClickHouse's own message
 */
export async function openSql(settings: Settings, statement: string, options: SqlOptions = {}): Promise<IncomingMessage> {
  const { format = 'TabSeparated', parameters = {}, timeoutMs = 0, inDatabase = true } = options;
  const url = new URL(settings.CLICKHOUSE_URL ?? `http://${LOOPBACK}:${settings.CLICKHOUSE_PORT}`);
  url.searchParams.set('default_format', format);
  if (inDatabase) url.searchParams.set('database', settings.CLICKHOUSE_DATABASE);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(`param_${name}`, value);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { 'X-ClickHouse-User': settings.CLICKHOUSE_USER, 'X-ClickHouse-Key': settings.CLICKHOUSE_PASSWORD ?? '', 'content-type': 'text/plain' },
      ...(timeoutMs > 0 ? { timeout: timeoutMs } : {}),
      ...(settings.CLICKHOUSE_CA_FILE === undefined ? {} : { ca: readFileSync(settings.CLICKHOUSE_CA_FILE) }),
    }, resolve);
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on('error', (error) => reject(new TidemarkError('CLICKHOUSE_UNREACHABLE',
      `ClickHouse ${url.origin}: ${error.message}; start tidemark up on this DATA_DIR, or set CLICKHOUSE_URL`, { cause: error })));
    sent.end(statement);
  });
  if (response.statusCode === 200) return response;
  throw new TidemarkError('CLICKHOUSE_QUERY_FAILED', `ClickHouse ${url.origin}: ${(await textOf(response)).trim().slice(0, 4000) || `HTTP ${response.statusCode}`}`);
}

/** The whole answer of a small query as text. */
export const runSql = async (settings: Settings, statement: string, options: SqlOptions = {}): Promise<string> =>
  textOf(await openSql(settings, statement, options));

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response as AsyncIterable<string>) text += piece;
  return text;
}
