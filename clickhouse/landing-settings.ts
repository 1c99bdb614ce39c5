import type { ClickHouseSettings } from '@clickhouse/client';

/** More rows and bytes than any batch has: a batch is one block, so that a repeat under the same token meets the same blocks. */
const BLOCK_ROWS = 4_000_000;
const BLOCK_BYTES = 2_000_000_000;

/**
 * Settings of an insert that can be repeated without effect (docs/decisions/landing-exactly-once.md).
 * @param token names exactly these rows: topic, partition, first and last offset
 */
export function landingInsertSettings(token: string): ClickHouseSettings {
  return {
    insert_deduplication_token: token,
    insert_deduplicate: 1,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    async_insert: 0,
    throw_on_max_partitions_per_insert_block: 0,
    max_insert_block_size: String(BLOCK_ROWS),
    min_insert_block_size_rows: String(BLOCK_ROWS),
    min_insert_block_size_bytes: String(BLOCK_BYTES),
  };
}

/** The token of one partition's records first..last, both included. */
export const landingToken = (topic: string, partition: number, firstOffset: number, lastOffset: number): string => `${topic}-${partition}-${firstOffset}-${lastOffset}`;
