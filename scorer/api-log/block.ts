import { API_ROW_EXTRA_BYTES, createApiRowWriter, type ApiRow } from '../core/api-row.js';

export const BLOCK_BYTES = 1024 * 1024;
/** Longest that a row waits for its block to be full. */
export const FLUSH_MS = 1000;

/** Rows on their way into api_predictions, written one after the other into blocks that are handed on whole. */
export interface BlockWriter {
  add(row: ApiRow, matrix: Float32Array, at: number): void;
  /** Hands on what has been written. */
  flush(): void;
}

export function createBlockWriter(viewVersion: number, width: number, take: (bytes: Uint8Array<ArrayBuffer>, rows: number) => void): BlockWriter {
  const writer = createApiRowWriter(viewVersion, width);
  const room = API_ROW_EXTRA_BYTES + 4 * width + 8;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let view: DataView;
  let at = 0;
  let rows = 0;

  function flush(): void {
    if (bytes === undefined || rows === 0) return;
    const whole = bytes.subarray(0, at);
    const count = rows;
    bytes = undefined;
    rows = at = 0;
    take(whole, count);
  }
  return {
    add(row, matrix, matrixAt) {
      if (bytes !== undefined && at + room > bytes.length) flush();
      if (bytes === undefined) {
        bytes = new Uint8Array(new ArrayBuffer(BLOCK_BYTES));
        view = new DataView(bytes.buffer);
      }
      at = writer.write(bytes, view, at, row, matrix, matrixAt);
      rows++;
    },
    flush,
  };
}
