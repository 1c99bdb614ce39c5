import { gzipSync } from 'node:zlib';
import { writeFileSync } from 'node:fs';
import { shopHistory } from './history.js';
import type { OracleEvent } from './oracle.js';

const COLUMNS = ['event_id', 'customer_id', 'event_type', 'amount', 'quantity', 'event_time'] as const;

export interface ShopFile {
  readonly path: string;
  /** The well-formed records as a replay publishes them: by event time, those of one time in the file's order. */
  readonly records: readonly OracleEvent[];
  readonly badRows: number;
}

/** A shop's history as an export has it: CSV in no order, some rows twice, some that are no events. */
export function writeShopCsv(path: string, seed: number): ShopFile {
  const events: OracleEvent[] = shopHistory({ seed, customers: 500, days: 300 });
  const again = events.filter((_, i) => i % 1000 === 500);
  const rows = [...events.filter((_, i) => i % 2 === 1), ...events.filter((_, i) => i % 2 === 0), ...again];
  const bad: Record<string, unknown>[] = [{ amount: 'twelve' }, { event_type: 'teleport' }, { event_time: '2025-02-30T00:00:00Z' }, { customer_id: '' }].map((fault, i) => ({ ...rows[i]!, ...fault }));
  const cells = (row: Readonly<Record<string, unknown>>): string => COLUMNS.map((column) => row[column] ?? '').join(',');
  const iso = (event: OracleEvent): Record<string, unknown> => ({ ...event, event_time: new Date(event.event_time).toISOString() });
  writeFileSync(path, `${[COLUMNS.join(','), ...bad.map(cells), ...rows.map((event) => cells(iso(event)))].join('\n')}\n`);
  return { path, records: inEventTime(rows), badRows: bad.length };
}

/** The same kind of history as compressed NDJSON, in event-time order. */
export function writeShopNdjson(path: string, seed: number): ShopFile {
  const rows = inEventTime(shopHistory({ seed, customers: 400, days: 240 }));
  writeFileSync(path, gzipSync(rows.map(({ event_id, customer_id, event_type, amount, quantity, event_time }) =>
    `${JSON.stringify({ event_id, customer_id, event_type, amount, quantity, event_time })}\n`).join('')));
  return { path, records: rows, badRows: 0 };
}

/** A stable sort: as a replay orders a file. */
export const inEventTime = (rows: readonly OracleEvent[]): OracleEvent[] => [...rows].sort((a, b) => a.event_time - b.event_time);
