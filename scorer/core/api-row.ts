/** Columns of api_predictions, in the order in which rows are written. */
export const API_ROW_COLUMNS = ['request_id', 'row', 'source', 'customer_id', 'scored_at', 'score', 'decision', 'model_version', 'view_version', 'degraded', 'features'] as const;

/** Where a prediction was asked for; the numbers of the column's Enum8. */
export const API_SOURCES = { predict: 0, batch: 1, infer: 2 } as const;
export type ApiSource = keyof typeof API_SOURCES;

export interface ApiRow {
  readonly requestId: string;
  /** Place in the request. */
  readonly row: number;
  readonly source: ApiSource;
  /** Empty where the values were the client's. */
  readonly customerId: string;
  readonly scoredAt: number;
  readonly score: number;
  readonly atRisk: boolean;
  readonly modelVersion: string;
  readonly degraded: boolean;
}

/** Bytes of a row beside its values, at most: ids of 128 characters of up to three bytes, a version of 128. */
export const API_ROW_EXTRA_BYTES = 3 * 128 + 3 * 128 + 3 * 256 + 64;

export interface ApiRowWriter {
  /**
   * Writes a row in ClickHouse's RowBinary. Text that is longer than its bound is cut.
   * @param target with room for API_ROW_EXTRA_BYTES and 4 bytes a value
   * @returns where the row ends
   */
  write(target: Uint8Array, view: DataView, at: number, row: ApiRow, matrix: Float32Array, matrixAt: number): number;
}

const encoder = new TextEncoder();
const MS = 2 ** 32;

export function createApiRowWriter(viewVersion: number, width: number): ApiRowWriter {
  const decisions = ['keep', 'at_risk'].map((text) => encoder.encode(text));

  /** Nearly all texts are short and ASCII: those are written without a call. */
  function text(target: Uint8Array, at: number, value: string): number {
    const length = value.length;
    if (length < 128) {
      let i = 0;
      for (; i < length; i++) {
        const letter = value.charCodeAt(i);
        if (letter > 127) break;
        target[at + 1 + i] = letter;
      }
      if (i === length) {
        target[at] = length;
        return at + 1 + length;
      }
    }
    const bytes = encoder.encode(value.slice(0, 256));
    at = varint(target, at, bytes.length);
    target.set(bytes, at);
    return at + bytes.length;
  }

  return {
    write(target, view, at, row, matrix, matrixAt) {
      at = text(target, at, row.requestId);
      view.setUint32(at, row.row, true);
      target[at + 4] = API_SOURCES[row.source];
      at = text(target, at + 5, row.customerId);
      view.setUint32(at, row.scoredAt % MS, true);
      view.setUint32(at + 4, Math.floor(row.scoredAt / MS), true);
      view.setFloat64(at + 8, row.score, true);
      const decision = decisions[row.atRisk ? 1 : 0] as Uint8Array;
      at += 16;
      target[at++] = decision.length;
      for (let i = 0; i < decision.length; i++) target[at++] = decision[i] as number;
      at = text(target, at, row.modelVersion);
      view.setUint32(at, viewVersion, true);
      target[at + 4] = row.degraded ? 1 : 0;
      at = varint(target, at + 5, width);
      for (let i = 0; i < width; i++, at += 4) view.setFloat32(at, matrix[matrixAt + i] as number, true);
      return at;
    },
  };
}

function varint(target: Uint8Array, at: number, value: number): number {
  while (value >= 128) {
    target[at++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  target[at++] = value;
  return at;
}
