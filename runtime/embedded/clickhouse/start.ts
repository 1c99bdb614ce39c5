import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TidemarkError } from '../../errors.js';
import type { Log } from '../../log.js';
import { isPortFree, LOOPBACK } from '../../ports.js';
import { startProgram, waitUntilReady } from '../program.js';
import { RUNNING_MAX } from './handler.js';

const READY_DEADLINE_MS = 60_000;
/** Each running statement holds one thread of the pool; the rest are for files and compression. */
const THREADS = RUNNING_MAX + 8;

export interface EmbeddedClickHouse {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the server has ended by itself, with how. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export interface EmbeddedClickHouseOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly log: Log;
  /** Of the user `default`; none: no password. */
  readonly password?: string;
  /** Of the user `reader`, who may only read; none: there is no such user. */
  readonly readerPassword?: string;
}

/**
 * ClickHouse's own engine behind ClickHouse's HTTP protocol on 127.0.0.1, as a process of its own, its data in
 * `clickhouse/` of the data folder; ready when this returns, ended when this process ends.
 * @throws TidemarkError PORT_TAKEN, PART_NOT_READY
 */
export async function startEmbeddedClickHouse(options: EmbeddedClickHouseOptions): Promise<EmbeddedClickHouse> {
  const { port, log } = options;
  const dataDir = resolve(options.dataDir);
  const folder = join(dataDir, 'clickhouse');
  await mkdir(folder, { recursive: true });
  const started = Date.now();
  const program = await startProgram({
    name: 'clickhouse',
    command: process.execPath,
    args: [fileURLToPath(new URL('main.js', import.meta.url)), folder, String(port)],
    dataDir,
    mark: folder,
    env: {
      UV_THREADPOOL_SIZE: String(THREADS),
      TZ: 'UTC',
      CLICKHOUSE_PASSWORD: options.password ?? '',
      CLICKHOUSE_READER_PASSWORD: options.readerPassword ?? '',
    },
    beforeStart: async () => {
      if (!(await isPortFree(port)))
        throw new TidemarkError('PORT_TAKEN', `ClickHouse: port ${port} on ${LOOPBACK} is taken; set CLICKHOUSE_PORT to another, or CLICKHOUSE_URL to use the ClickHouse that is there`, { details: { port, variable: 'CLICKHOUSE_PORT' } });
    },
  });
  const url = `http://${LOOPBACK}:${port}`;
  await waitUntilReady('ClickHouse', program, () => fetch(`${url}/ping`).then((answer) => answer.ok, () => false), READY_DEADLINE_MS);
  log.info('clickhouse_started', { url, pid: program.pid, took_ms: Date.now() - started });
  return { url, pid: program.pid, exited: program.exited, stop: () => program.stop() };
}
