import { within, type SnapshotPlan } from '../core/plan.js';
import type { LabelledRows } from '../rows.js';

/** What a row of a training set is for. */
export const PARTS = ['train', 'holdout'] as const;

export interface RowsToStore {
  readonly rows: LabelledRows;
  /** By the number of the row's customer. */
  readonly customer_ids: readonly string[];
  readonly plan: SnapshotPlan;
}

/** Columns of the rows beside the features, with their types in ClickHouse; `_row` keeps the order. */
export const ROW_COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['_row', 'UInt32'], ['customer_id', 'String'], ['at', "DateTime64(3, 'UTC')"], ['on_event', 'Bool'],
  ['part', `Enum8(${PARTS.map((part, i) => `'${part}' = ${i}`).join(', ')})`], ['churned', 'UInt8'],
];

/** Rows [from, to) in RowBinary: ROW_COLUMNS, then a Float32 for each feature, bit for bit. */
export function rowBytes({ rows, customer_ids, plan }: RowsToStore, from: number, to: number): Buffer {
  const columns = rows.feature_names.length;
  const ids = Array.from({ length: to - from }, (_, i) => Buffer.from(customer_ids[rows.customer[from + i]!]!));
  const out = Buffer.allocUnsafe(ids.reduce((sum, id) => sum + id.length + 5, 0) + (to - from) * (4 + 8 + 3 + 4 * columns));
  const values = new Uint32Array(rows.values.buffer, rows.values.byteOffset, rows.values.length);
  let end = 0;
  for (let row = from; row < to; row++) {
    const id = ids[row - from]!;
    end = out.writeUInt32LE(row, end);
    let length = id.length;
    for (; length >= 0x80; length >>>= 7) out[end++] = (length & 0x7f) | 0x80;
    out[end++] = length;
    end += id.copy(out, end);
    end = out.writeBigInt64LE(BigInt(rows.at[row]!), end);
    out[end++] = rows.on_event[row]!;
    out[end++] = within(plan.holdout, rows.at[row]!) ? 1 : 0;
    out[end++] = rows.labels[row]!;
    for (let i = row * columns; i < (row + 1) * columns; i++) end = out.writeUInt32LE(values[i]!, end);
  }
  return out.subarray(0, end);
}
