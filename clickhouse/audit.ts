import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClickHouse, onClickHouse, type ClickHouseTarget } from '../runtime/clickhouse.js';
import type { Log } from '../runtime/log.js';

/** An administrative action: who did what to which, and what came of it. */
export interface AuditEntry {
  /** `user:NAME` of this machine, or `key:ID`. */
  readonly actor: string;
  readonly role: string;
  /** Where a request came from; empty for a command. */
  readonly address: string;
  /** `keys.create`, `POST /retrain`, … */
  readonly action: string;
  readonly target: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly detail: Readonly<Record<string, unknown>>;
  readonly requestId: string;
}

export interface AuditLog {
  record(entry: AuditEntry): void;
  readonly stats: { readonly waiting: number; readonly written: number; readonly dropped: number };
  /** Tries once more to write what waits. */
  stop(): Promise<void>;
}

export interface AuditOptions {
  readonly settings: ClickHouseTarget;
  readonly log: Log;
  readonly service: string;
  readonly clock?: () => number;
  readonly retryMs?: number;
}

const WAITING_MAX = 1000;
const RETRY_MS = 1000;
const RETRY_MS_MAX = 60_000;
const REQUEST_TIMEOUT_MS = 5000;

/**
 * Writes audit_log beside the work it is about: `record` returns at once. Every entry is a line of the log as well, so that none is
 * lost where ClickHouse stays away: of those that wait for it the last 1000 are kept, in memory. An entry that is written twice is one row.
 */
export function createAuditLog({ settings, log, service, clock = Date.now, retryMs = RETRY_MS }: AuditOptions): AuditLog {
  const client = createClickHouse(settings, { maxOpenConnections: 1, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  const stats = { waiting: 0, written: 0, dropped: 0 };
  const ending = new AbortController();
  let waiting: Record<string, unknown>[] = [];
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    const rows = waiting;
    await onClickHouse(settings, 'audit_log', () => client.insert({ table: 'audit_log', values: rows, format: 'JSONEachRow' }));
    stats.written += rows.length;
    const done = new Set(rows);
    waiting = waiting.filter((row) => !done.has(row));
    stats.waiting = waiting.length;
  }

  async function writeAll(): Promise<void> {
    for (let pauseMs = retryMs, failures = 0; waiting.length > 0 && !ending.signal.aborted;) {
      try {
        await write();
        if (failures > 0) log.info('audit_written', { failures });
        [pauseMs, failures] = [retryMs, 0];
      } catch (error) {
        if (failures++ === 0) log.error('audit_waits', error, { waiting: waiting.length });
        await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX);
      }
    }
  }

  return {
    stats,
    record(entry) {
      const { actor, role, address, action, target, outcome, detail, requestId } = entry;
      const at = clock();
      const row = { audit_id: randomUUID(), at, service, actor, role, address, action, target, outcome, detail: JSON.stringify(detail), request_id: requestId };
      log.info('audit', { actor, role, address, action, target, outcome, detail, request_id: requestId });
      waiting = [...waiting, row];
      if (waiting.length > WAITING_MAX) {
        waiting = waiting.slice(-WAITING_MAX);
        stats.dropped++;
      }
      stats.waiting = waiting.length;
      writing ??= writeAll().finally(() => { writing = undefined; });
    },
    async stop() {
      ending.abort();
      await writing;
      if (waiting.length > 0) await write().catch((error: unknown) => log.error('audit_not_written', error, { entries: waiting.length }));
      await client.close();
    },
  };
}
