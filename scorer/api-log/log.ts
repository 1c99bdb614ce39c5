import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createClickHouse, isPassing, onClickHouse, type ClickHouseTarget } from '../../runtime/clickhouse.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { API_ROW_COLUMNS, type ApiRow } from '../core/api-row.js';
import { createBlockWriter, FLUSH_MS } from './block.js';

/** The log of predictions that were asked for over HTTP: never waited for, bounded, counted. */
export interface ApiLog extends Stoppable {
  add(row: ApiRow, matrix: Float32Array, at: number): void;
  /** Rows that a worker has written. */
  block(bytes: Uint8Array, rows: number): void;
  readonly counts: { landed: number; dropped: number; readonly waitingBytes: number };
}

/** Puts a block where it belongs; repeated under the same token it counts once. */
export type SendBlock = (bytes: Uint8Array, token: string) => Promise<void>;

export interface ApiLogOptions {
  readonly viewVersion: number;
  readonly width: number;
  /** API_LOG_MB_MAX: rows beyond what may wait are dropped. */
  readonly bytesMax: number;
  readonly send: SendBlock;
  readonly log: Log;
}

const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 10_000;
const STOP_MS = 3000;

export function createApiLog({ viewVersion, width, bytesMax, send, log }: ApiLogOptions): ApiLog {
  const waiting: { bytes: Uint8Array; rows: number; token: string }[] = [];
  let waitingBytes = 0;
  let sending: Promise<void> | undefined;
  let stopping = false;
  let wake: (() => void) | undefined;
  const counts = { landed: 0, dropped: 0, get waitingBytes() { return waitingBytes; } };

  function block(bytes: Uint8Array, rows: number): void {
    if (waitingBytes + bytes.length > bytesMax) {
      counts.dropped += rows;
      return;
    }
    waitingBytes += bytes.length;
    waiting.push({ bytes, rows, token: randomUUID() });
    sending ??= drain();
  }

  async function drain(): Promise<void> {
    let pause = RETRY_MS_MIN;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      try {
        await send(next.bytes, next.token);
        counts.landed += next.rows;
        pause = RETRY_MS_MIN;
      } catch (error) {
        if (isPassing(error) && !stopping) {
          if (pause === RETRY_MS_MIN) log.warn('api_log_waits', { message: (error as Error).message, rows: next.rows });
          await sleepOr(pause, (stop) => { wake = stop; });
          pause = Math.min(RETRY_MS_MAX, pause * 2);
          continue;
        }
        counts.dropped += next.rows;
        log.error('api_log_dropped', error, { rows: next.rows });
      }
      waiting.shift();
      waitingBytes -= next.bytes.length;
    }
    // In the same turn as the last look: a block that comes now begins anew.
    sending = undefined;
  }

  const writer = createBlockWriter(viewVersion, width, block);
  const timer = setInterval(writer.flush, FLUSH_MS);
  return {
    add: bytesMax === 0 ? () => undefined : writer.add,
    block: bytesMax === 0 ? () => undefined : block,
    counts,
    async stop() {
      clearInterval(timer);
      writer.flush();
      stopping = true;
      wake?.();
      await Promise.race([sending, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
      const lost = waiting.reduce((sum, { rows }) => sum + rows, 0);
      if (lost > 0) log.warn('api_log_dropped', { rows: lost, message: 'ClickHouse did not take them before the end' });
    },
  };
}

function sleepOr(ms: number, onWake: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    onWake(() => { clearTimeout(timer); resolve(); });
  });
}

const INSERT_MS_MAX = 10_000;

/** Inserts blocks into api_predictions, each under its token, so that one that was sent twice counts once. */
export function clickHouseSender(target: ClickHouseTarget): { send: SendBlock; close(): Promise<void> } {
  const client = createClickHouse(target, { maxOpenConnections: 1, requestTimeoutMs: INSERT_MS_MAX });
  return {
    send: (bytes, token) => onClickHouse(target, 'insert into api_predictions', async () => {
      const { stream } = await client.exec({
        query: `INSERT INTO api_predictions (${API_ROW_COLUMNS.join(', ')}) FORMAT RowBinary`,
        values: Readable.from([bytes], { objectMode: false }),
        clickhouse_settings: { insert_deduplication_token: token, insert_deduplicate: 1, async_insert: 0, input_format_parallel_parsing: 0 },
      });
      for await (const _ of stream); // an insert answers nothing; the answer's end is its end
    }),
    close: () => client.close(),
  };
}
