import { loadNative, type Handle, type Native } from './native.js';

/** What a statement did, in the units of X-ClickHouse-Summary. */
export interface Outcome {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** How far a statement reaches, from the engine's own parser. */
export type Reach = 'read' | 'write' | 'control' | 'unknown';
const REACHES: readonly Reach[] = ['read', 'write', 'write', 'control', 'unknown'];

/**
 * One connection: its own current database, settings, query parameters and temporary tables. Opening takes 0.1 ms, so
 * that each request gets a fresh one and nothing of it outlives the request. One statement at a time.
 */
export class Connection {
  private closed = false;
  private pending: Promise<unknown> = Promise.resolve();
  constructor(private readonly native: Native, private readonly handle: Handle) {}

  /** Runs statements and returns the last one's whole result in `format`. */
  async query(sql: string, format: string): Promise<Outcome> {
    const raw = await this.track(this.native.QueryAsyncConnection(this.handle, sql, format));
    return { bytes: raw.bytes, rowsRead: raw.rowsRead, bytesRead: raw.bytesRead, rowsWritten: 0, bytesWritten: 0 };
  }

  async classify(sql: string): Promise<{ statements: number; reach: Reach }> {
    const found = await this.track(this.native.DurableClassifyAsync(this.handle, sql, 'default'));
    return { statements: found.statementCount, reach: REACHES[found.queryClass] ?? 'unknown' };
  }

  /** Closing under a running statement would end the engine: it waits for that statement. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.pending;
    this.native.CloseConnection(this.handle);
  }

  private track<T>(work: Promise<T>): Promise<T> {
    this.pending = work.then(() => undefined, () => undefined);
    return work;
  }
}

/** The engine shares the machine with the broker and our own processes: half of the memory, and small caches, are enough. */
const SERVER_ARGUMENTS = ['--max_server_memory_usage_to_ram_ratio=0.5', '--mark_cache_size=268435456', '--index_mark_cache_size=67108864'];

export class Engine {
  readonly native = loadNative();
  private readonly keep: Handle;
  constructor(readonly dataDir: string) {
    // The data folder stays open as long as one connection does.
    this.keep = this.native.CreateConnection(dataDir, SERVER_ARGUMENTS);
  }

  connect(): Connection {
    return new Connection(this.native, this.native.CreateConnection(this.dataDir));
  }

  /** One short value, for what is asked once at start. */
  async scalar(sql: string): Promise<string> {
    const connection = this.connect();
    try {
      return Buffer.from((await connection.query(sql, 'TSVRaw')).bytes).toString('utf8').trim();
    } finally {
      await connection.close();
    }
  }

  close(): void {
    this.native.CloseConnection(this.keep);
  }
}
