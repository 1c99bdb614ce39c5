import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { identityOf, type Block } from './core/block.js';
import type { LandingMetrics } from './metrics.js';
import type { TableSpec } from './table.js';

/** Inserts at once, over all partitions: more would not make the server faster. */
const INSERTS_MAX = 2;
/** Above the rows and bytes of any block. */
const ONE_BLOCK_ROWS = 4_000_000;
const ONE_BLOCK_BYTES = 2_000_000_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5000;

/**
 * What a former attempt may have left of a block: nothing; the block itself, under the same token; or rows of it, under
 * tokens that are not known any more.
 */
export type Former = 'none' | 'block' | 'rows';

/**
 * Puts blocks into ClickHouse, each exactly once: the token makes an insert that is repeated, by whomever, count once, and
 * where an earlier attempt may have reached the server what is there is counted afterwards and the missing rows are added.
 */
export interface Inserter {
  /**
   * Returns when the block is in the table; tries for as long as `wanted` says so.
   * @returns false when it was given up
   */
  insert(spec: TableSpec, partition: number, block: Block, former: Former, wanted: () => boolean): Promise<boolean>;
  /** The highest offset of a partition in the table, or -1. */
  highestOffset(spec: TableSpec, partition: number): Promise<number>;
  /** Why inserts fail at the moment; undefined while they do not. */
  readonly trouble: string | undefined;
}

export function createInserter(client: ClickHouseClient, metrics: LandingMetrics, log: Log): Inserter {
  let running = 0;
  const waiting: (() => void)[] = [];
  let trouble: string | undefined;

  async function limited<T>(work: () => Promise<T>): Promise<T> {
    if (running >= INSERTS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  async function send(spec: Pick<TableSpec, 'table' | 'columns'>, body: Buffer, token: string): Promise<void> {
    const { stream } = await client.exec({
      query: `INSERT INTO ${spec.table} (${spec.columns.join(', ')}) FORMAT RowBinary`,
      values: Readable.from([body], { objectMode: false }),
      clickhouse_settings: {
        insert_deduplication_token: token,
        insert_deduplicate: 1,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        async_insert: 0,
        // A history spans more days than ClickHouse lets one insert touch by default.
        throw_on_max_partitions_per_insert_block: 0,
        // One insert is one block, whoever parses it, so that a repeat under the same token meets the same blocks.
        input_format_parallel_parsing: 0,
        max_insert_block_size: String(ONE_BLOCK_ROWS),
        min_insert_block_size_rows: String(ONE_BLOCK_ROWS),
        min_insert_block_size_bytes: String(ONE_BLOCK_BYTES),
      },
    });
    for await (const _ of stream); // an insert answers nothing; the answer's end is its end
  }

  async function presentRows(spec: TableSpec, partition: number, from: number, to: number): Promise<Set<string>> {
    const result = await client.query({
      query: `SELECT kafka_offset, toUnixTimestamp64Milli(kafka_time) FROM ${spec.table} WHERE kafka_partition = {partition:UInt32} AND kafka_offset >= {from:UInt64} AND kafka_offset < {to:UInt64}`,
      query_params: { partition, from, to },
      format: 'JSONCompactEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    const present = new Set<string>();
    for await (const rows of result.stream<[number, number]>())
      for (const row of rows) {
        const [offset, time] = row.json();
        present.add(identityOf(offset, time));
      }
    return present;
  }

  /**
   * Adds what a crash of the server kept from an insert whose token it had noted already.
   * @param viewsHave the block has been inserted under its token, which gave its views' tables all of its rows
   */
  async function complete(spec: TableSpec, partition: number, block: Block, viewsHave: boolean): Promise<void> {
    for (let repair = 1; ; repair++) {
      const missing = block.without(await presentRows(spec, partition, block.from, block.to));
      if (missing.count === 0) return;
      log.warn('rows_repaired', { table: spec.table, partition, from: block.from, to: block.to, rows: missing.count });
      if (viewsHave) await attach(spec, missing.body, `${spec.table}_repair_${partition}_${block.from}`);
      else await send(spec, missing.body, `${block.token(spec.topic, partition)}/repair-${repair}`);
    }
  }

  /**
   * Puts rows into the table past its views, which would count them again: into a table of its own, whose parts are then taken over.
   * A former owner that is still at it loses its own, which has the same name, and fails.
   */
  async function attach({ table, columns }: TableSpec, body: Buffer, staging: string): Promise<void> {
    await client.command({ query: `DROP TABLE IF EXISTS ${staging} SYNC` });
    await client.command({ query: `CREATE TABLE ${staging} AS ${table}` });
    await send({ table: staging, columns }, body, staging);
    const parts = await client.query({ query: 'SELECT DISTINCT partition_id FROM system.parts WHERE database = currentDatabase() AND table = {staging:String} AND active', query_params: { staging }, format: 'JSONEachRow' });
    for (const { partition_id } of await parts.json<{ partition_id: string }>()) await client.command({ query: `ALTER TABLE ${table} ATTACH PARTITION ID '${partition_id}' FROM ${staging}` });
    await client.command({ query: `DROP TABLE ${staging} SYNC` });
  }

  return {
    get trouble() { return trouble; },
    async insert(spec, partition, block, former, wanted) {
      const token = block.token(spec.topic, partition);
      let waitMs = RETRY_MS_MIN;
      for (let attempt = 1; wanted(); attempt++) {
        try {
          await limited(async () => {
            const startedAt = performance.now();
            if (former !== 'rows') await send(spec, block.body, token);
            if (former !== 'none' || attempt > 1) await complete(spec, partition, block, former !== 'rows');
            metrics.inserted(spec.table, block.count, (performance.now() - startedAt) / 1000);
          });
          if (trouble !== undefined) log.info('clickhouse_back', { table: spec.table, attempts: attempt });
          trouble = undefined;
          return true;
        } catch (error) {
          trouble = `${spec.table}: ${messageOf(error) || 'no answer'}`;
          metrics.retried(spec.table);
          log.warn('insert_retried', { table: spec.table, partition, from: block.from, rows: block.count, attempt, wait_ms: waitMs, message: messageOf(error) });
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          waitMs = Math.min(waitMs * 2, RETRY_MS_MAX);
        }
      }
      return false;
    },
    async highestOffset(spec, partition) {
      const result = await client.query({
        query: `SELECT toInt64(max(kafka_offset)) AS high, count() AS rows FROM ${spec.table} WHERE kafka_partition = {partition:UInt32}`,
        query_params: { partition }, format: 'JSONEachRow',
      });
      const [row] = await result.json<{ high: string; rows: string }>();
      return row === undefined || Number(row.rows) === 0 ? -1 : Number(row.high);
    },
  };
}
