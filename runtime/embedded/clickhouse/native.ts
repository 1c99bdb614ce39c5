import { createRequire } from 'node:module';
import { TidemarkError, messageOf } from '../../errors.js';

/** A connection of the engine, opaque to us. */
export type Handle = { readonly __handle: unique symbol };

interface NativeRead { bytes: Uint8Array; elapsed: number; rowsRead: number; bytesRead: number }
interface NativeChunk { done: boolean; bytes: Uint8Array; numRows: number }
interface NativeClass { statementCount: number; queryClass: number }

/** What we use of the engine's addon. `chdb`'s own wrapper is left out: its streams cannot run off the main thread. */
export interface Native {
  CreateConnection(dataDir: string, args?: string[]): Handle;
  CloseConnection(handle: Handle): void;
  QueryAsyncConnection(handle: Handle, sql: string, format: string): Promise<NativeRead>;
  DurableClassifyAsync(handle: Handle, sql: string, database: string): Promise<NativeClass>;
  StreamQuery(handle: Handle, sql: string, format: string): Handle;
  StreamFetch(stream: Handle): Promise<NativeChunk>;
  StreamCancel(stream: Handle): void;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@chdb/lib-linux-x64-gnu',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'darwin-arm64': '@chdb/lib-darwin-arm64',
};

/** Loads the engine of this platform. @throws TidemarkError REQUIREMENT_MISSING with the way out */
export function loadNative(): Native {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  const instead = 'or set CLICKHOUSE_URL to a ClickHouse server of your own';
  if (name === undefined)
    throw new TidemarkError('REQUIREMENT_MISSING', `embedded ClickHouse: no engine for ${platform}, expected one of ${Object.keys(PACKAGES).join(', ')}; use one of those ${instead}`);
  try {
    return createRequire(import.meta.url)(name) as Native;
  } catch (cause) {
    throw new TidemarkError('REQUIREMENT_MISSING', `embedded ClickHouse: ${name} does not load (${messageOf(cause)}); run npm ci again on this machine ${instead}`, { cause });
  }
}
