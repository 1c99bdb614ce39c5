import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../../runtime/embedded/clickhouse/start.js';
import { freePort } from '../../runtime/ports.js';
import { loadSettings, type Settings } from '../../runtime/settings.js';
import { testLog } from './cluster.js';

export interface TestClickHouse {
  readonly server: EmbeddedClickHouse;
  readonly settings: Settings;
  readonly dataDir: string;
  /** Of the settings' database, which may not exist yet; `options.database` for another. */
  client(options?: { database?: string }): ClickHouseClient;
  /** One request with fetch; the answer's text read. */
  send(path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; text: string }>;
  /** Runs SQL as user default in database default and returns the trimmed text, whatever the status. */
  sql(query: string): Promise<string>;
  /** The same server again on its data folder after it was killed or stopped. */
  restart(): Promise<void>;
}

export const READER_PASSWORD = 'look-only';

/** A server of its own on a free port, its data in a folder of its own; both go with the test. */
export async function startClickHouse(t: Test, options: { password?: string } = {}): Promise<TestClickHouse> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-clickhouse-'));
  const port = await freePort();
  const clients: ClickHouseClient[] = [];
  const start = (): Promise<EmbeddedClickHouse> => startEmbeddedClickHouse({ dataDir, port, log: testLog, readerPassword: READER_PASSWORD, ...options });
  let server = await start();
  t.teardown(async () => {
    for (const client of clients) await client.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  const settings = loadSettings({ DATA_DIR: dataDir, CLICKHOUSE_PORT: String(port) }, options.password === undefined ? {} : { CLICKHOUSE_PASSWORD: options.password });
  const send = async (path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; text: string }> => {
    const answer = await fetch(server.url + path, init);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  return {
    get server() { return server; },
    settings,
    dataDir,
    client(more = {}) {
      const client = createClickHouse(settings, more);
      clients.push(client);
      return client;
    },
    send,
    sql: async (query) => (await send('/', { method: 'POST', body: query })).text.trim(),
    async restart() { server = await start(); },
  };
}
