import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';

/** What a partition's local copy says of itself, written with every batch of states. */
export interface StorePosition {
  /** Offset after the last changelog record that is in the copy. */
  readonly changelogNext: number;
  /** Partition count under which the customers were spread. */
  readonly partitions: number;
  /** Where the partition's stream clock stands, epoch ms; 0: nowhere yet. */
  readonly streamTimeMs: number;
  /** Clock of the last whole sweep, epoch ms; 0: none yet. */
  readonly sweptAtMs: number;
}

/** The states of one partition on disk: a cache of the changelog, never the truth. */
export interface PartitionStore {
  position(): StorePosition | undefined;
  get(customerId: string): Buffer | undefined;
  /** Writes states and the position they stand at in one step; the buffers must stay as they are until it resolves. */
  apply(count: number, customerId: (i: number) => string, state: (i: number) => Buffer, position: StorePosition): Promise<void>;
  /** Customers after `after` in key order, for sweeps; at most `limit`. */
  scan(after: string | undefined, limit: number): Iterable<{ key: string; value: Buffer }>;
  /** Forgets everything: the copy is rebuilt from the changelog. */
  clear(): Promise<void>;
  count(): number;
}

export interface StateStore {
  partition(number: number): PartitionStore;
  close(): Promise<void>;
}

const PARTITIONS_MAX = 1024;

/** Opens the stores of one process; a folder belongs to one process at a time. */
export function openStateStore(folder: string): StateStore {
  mkdirSync(folder, { recursive: true });
  const root: RootDatabase = open({ path: join(folder, 'states.mdb'), maxDbs: PARTITIONS_MAX + 1, compression: false });
  const positions: Database<StorePosition, number> = root.openDB({ name: 'positions', encoding: 'json', keyEncoding: 'uint32' });
  return {
    partition: (number) => partitionStore(root, positions, number),
    close: () => root.close(),
  };
}

function partitionStore(root: RootDatabase, positions: Database<StorePosition, number>, partition: number): PartitionStore {
  const states: Database<Buffer, string> = root.openDB({ name: `p${partition}`, encoding: 'binary' });
  return {
    position: () => positions.get(partition),
    get: (customerId) => states.get(customerId),
    async apply(count, customerId, state, position) {
      await root.batch(() => {
        for (let i = 0; i < count; i++) void states.put(customerId(i), state(i));
        void positions.put(partition, position);
      });
    },
    *scan(after, limit) {
      const range = after === undefined ? { limit } : { start: after, exclusiveStart: true, limit };
      for (const { key, value } of states.getRange(range)) yield { key, value };
    },
    async clear() {
      await positions.remove(partition);
      await states.clearAsync();
    },
    count: () => states.getCount(),
  };
}
