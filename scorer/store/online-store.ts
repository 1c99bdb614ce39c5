import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { open, type Database, type RootDatabase } from 'lmdb';
import { TidemarkError } from '../../runtime/errors.js';
import { partitionOfPrediction } from './prediction.js';

/** Latest prediction of a customer, framed as on the topic predictions; null: the customer was deleted. */
export type Latest = Buffer | null;

export interface StoreOptions {
  readonly folder: string;
  /** The layout of the values: a store of another one is emptied and filled again from the topic. */
  readonly layout: object;
  /** The Kafka cluster that the positions count on. */
  readonly clusterId: string;
}

/**
 * The online store: the latest features and score of every customer of this process's partitions, on disk. It follows
 * the topic: each write carries the position it brings its partition to, in one LMDB transaction, so that after a kill
 * what is missing is exactly what stands between that position and the group's.
 */
export interface OnlineStore {
  /** What is written last is read at once, from memory until it is on disk. */
  get(customerId: string): Buffer | undefined;
  /** Ids on disk that begin with `prefix`, at most so many, in the order of their bytes. */
  idsFrom(prefix: string, most: number): string[];
  /** The offset in customer-features that a partition's entries stand at; undefined where it has none. */
  position(partition: number): number | undefined;
  /**
   * Puts a committed batch. Waits only when the disk is behind by more than the bound.
   * @returns a promise to wait for, or undefined when there is room
   */
  put(partition: number, nextOffset: number, entries: readonly { readonly customerId: string; readonly value: Latest }[]): Promise<void> | undefined;
  /** Removes a partition's customers and its position, so that it is read again from the beginning (its topic was made anew). */
  forget(partition: number): Promise<void>;
  /** Visits every customer's latest prediction, some at a turn, until it has seen all or the store closes. */
  each(visit: (customerId: string, value: Buffer) => void): Promise<void>;
  /** All that was put is in LMDB. */
  flushed(): Promise<void>;
  stats(): { readonly customers: number; readonly pending: number };
  close(): Promise<void>;
}

/** Batches of a few milliseconds become one LMDB transaction, so that disk flushes do not follow Kafka's commits one by one. */
const FLUSH_MS = 20;
const PENDING_MAX = 50_000;
/** Customers visited before anything else gets a turn. */
const SLICE_CUSTOMERS = 500;

export async function openOnlineStore({ folder, layout, clusterId }: StoreOptions): Promise<OnlineStore> {
  mkdirSync(folder, { recursive: true });
  const root = open({ path: folder, maxDbs: 3, encoding: 'binary' });
  const { customers, positions, meta } = databases(root);
  const identity: Identity = { layout: hashOf(layout), cluster: clusterId };
  const found = meta.get('identity');
  if (found?.layout !== identity.layout || found.cluster !== identity.cluster) {
    await customers.clearAsync();
    await positions.clearAsync();
    await meta.put('identity', identity);
  }

  /** Filling takes what comes; writing is on its way to disk and still answers reads. */
  let filling = new Map<string, Latest>();
  let fillingPositions = new Map<number, number>();
  let writing = new Map<string, Latest>();
  let writingPositions = new Map<number, number>();
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failure: unknown;

  async function write(): Promise<void> {
    [writing, filling] = [filling, new Map()];
    [writingPositions, fillingPositions] = [fillingPositions, new Map()];
    // Every put of one turn goes into one LMDB transaction; the last one's promise is the transaction's.
    let done: Promise<boolean> = Promise.resolve(true);
    for (const [customerId, value] of writing) done = value === null ? customers.remove(customerId) : customers.put(customerId, value);
    for (const [partition, offset] of writingPositions) done = positions.put(partition, offset);
    await done;
    writing = new Map();
    writingPositions = new Map();
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    flushing ??= write().catch((error: unknown) => { failure = error; }).finally(() => {
      flushing = undefined;
      if (filling.size > 0 || fillingPositions.size > 0) schedule();
    });
    return flushing;
  }
  function schedule(): void {
    if (timer !== undefined || flushing !== undefined) return;
    timer = setTimeout(() => void flush(), FLUSH_MS);
  }
  async function flushed(): Promise<void> {
    while (failure === undefined && (flushing !== undefined || filling.size > 0 || fillingPositions.size > 0)) await flush();
    if (failure !== undefined) throw new TidemarkError('INTERNAL', `online store ${folder}: writing failed: ${String(failure)}; check the disk`, { cause: failure });
  }

  let closed = false;
  function get(customerId: string): Buffer | undefined {
    for (const memory of [filling, writing]) {
      const value = memory.get(customerId);
      if (value !== undefined) return value ?? undefined;
    }
    return customers.get(customerId);
  }

  return {
    get,
    async each(visit) {
      for (let after: string | undefined; ;) {
        const ids = [...customers.getKeys({ limit: SLICE_CUSTOMERS, ...(after === undefined ? {} : { start: after, exclusiveStart: true }) })];
        for (const id of ids) {
          const value = get(id);
          if (value !== undefined) visit(id, value);
        }
        if (ids.length < SLICE_CUSTOMERS) return;
        after = ids.at(-1);
        await nextTurn();
        if (closed) return;
      }
    },
    idsFrom(prefix, most) {
      const ids: string[] = [];
      for (const id of customers.getKeys({ start: prefix, limit: most })) {
        if (!id.startsWith(prefix)) break;
        ids.push(id);
      }
      return ids;
    },
    position: (partition) => fillingPositions.get(partition) ?? writingPositions.get(partition) ?? positions.get(partition),
    put(partition, nextOffset, entries) {
      for (const { customerId, value } of entries) filling.set(customerId, value);
      fillingPositions.set(partition, nextOffset);
      if (failure !== undefined || filling.size > PENDING_MAX) return flushed();
      schedule();
      return undefined;
    },
    async forget(partition) {
      await flushed();
      for (const { key, value } of customers.getRange()) if (partitionOfPrediction(value) === partition) void customers.remove(key);
      await positions.remove(partition);
    },
    flushed,
    stats: () => ({ customers: (customers.getStats() as { entryCount: number }).entryCount, pending: filling.size + writing.size }),
    async close() {
      closed = true;
      await flushed();
      await root.close();
    },
  };
}

function databases(root: RootDatabase): { customers: Database<Buffer, string>; positions: Database<number, number>; meta: Database<Identity, string> } {
  return {
    customers: root.openDB<Buffer, string>({ name: 'customers', encoding: 'binary' }),
    positions: root.openDB<number, number>({ name: 'positions', encoding: 'json' }),
    meta: root.openDB<Identity, string>({ name: 'meta', encoding: 'json' }),
  };
}

/** What the values are written as, and on which cluster the positions count. */
interface Identity { readonly layout: string; readonly cluster: string }
const hashOf = (layout: object): string => createHash('sha256').update(JSON.stringify(layout)).digest('hex');

/**
 * Reads one customer from a store, beside the scorer that has it open or after it.
 * @throws TidemarkError STATE_VERSION_UNKNOWN where another release of the schema wrote it
 */
export async function readOnline({ folder, layout }: Pick<StoreOptions, 'folder' | 'layout'>, customerId: string): Promise<Buffer | undefined> {
  const root = open({ path: folder, maxDbs: 3, encoding: 'binary', readOnly: true });
  try {
    const { customers, meta } = databases(root);
    if (meta.get('identity')?.layout !== hashOf(layout))
      throw new TidemarkError('STATE_VERSION_UNKNOWN', `online store ${folder} was written by another release: start the scorer once, it fills the store anew`);
    return customers.get(customerId);
  } finally {
    await root.close();
  }
}
