import { parse } from 'csv-parse/sync';
import { CUSTOMER_ID_RULE, ERRORS_MAX, FLOAT32_MAX, VALUE_RULE } from '../api/predict-request.js';
import { invalid, type FieldError, type Problem } from '../api/problem.js';
import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';

const CUSTOMER = 'customer_id';
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const ROW_CHARACTERS_MAX = 64 * 1024;
const CELL_RULE = VALUE_RULE.replace('null', 'empty');

/** Rows of a document: values that were written into the matrix, or customers whose values are to be looked up. */
export interface CsvRows {
  readonly count: number;
  readonly customers: readonly { readonly row: number; readonly id: string }[];
}

/**
 * Reads a CSV document (RFC 4180) whose first row names the columns: features in any order, of which those left out are
 * missing, as empty cells are; or customer_id alone.
 * @param room a matrix with room for so many rows
 */
export function readCsv(bytes: Uint8Array, names: readonly string[], rowsMax: number, room: (rows: number) => Float32Array): CsvRows | Problem {
  const table = tableOf(bytes, rowsMax);
  if ('status' in table) return table;
  const [header = [], ...rows] = table;
  const columns = header.map((name) => name.trim());
  if (rows.length === 0 || rows.length > rowsMax) return invalid([{ field: 'body', rule: `a row of column names and 1 to ${rowsMax} rows, got ${rows.length > rowsMax ? 'more' : rows.length}` }]);
  if (columns.length === 1 && columns[0] === CUSTOMER) return customersOf(rows);
  // So many columns more than there are features are so many errors: the rest need not be looked at.
  const unknown = columns.slice(0, names.length + ERRORS_MAX).flatMap((name, column) => columnErrors(name.slice(0, 100), columns.indexOf(name) !== column, names));
  if (unknown.length > 0) return invalid(unknown.slice(0, ERRORS_MAX));

  const places = columns.map((name) => names.indexOf(name));
  const matrix = room(rows.length).fill(Number.NaN, 0, rows.length * names.length);
  const errors: FieldError[] = [];
  for (let row = 0; row < rows.length && errors.length < ERRORS_MAX; row++) {
    const cells = rows[row] as string[];
    for (let column = 0; column < places.length; column++) {
      const value = valueOf(cells[column] as string);
      if (value === undefined) errors.push({ field: `${row}.${columns[column]}`, rule: CELL_RULE });
      else matrix[row * names.length + (places[column] as number)] = value;
    }
  }
  return errors.length > 0 ? invalid(errors.slice(0, ERRORS_MAX)) : { count: rows.length, customers: [] };
}

/** The header and the rows, one too many at most: the smallest rows of a large body would take a hundred times its memory. */
function tableOf(bytes: Uint8Array, rowsMax: number): string[][] | Problem {
  try {
    return parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { bom: true, skip_empty_lines: true, max_record_size: ROW_CHARACTERS_MAX, to: rowsMax + 2 });
  } catch (error) {
    return invalid([{ field: 'body', rule: `CSV, all rows of as many cells as the first: ${(error as Error).message.slice(0, 200)}` }]);
  }
}

function customersOf(rows: readonly (readonly string[])[]): CsvRows | Problem {
  const customers = rows.map(([id = ''], row) => ({ row, id }));
  const wrong = customers.filter(({ id }) => id.length === 0 || id.length > EVENT_BOUNDS.id_length_max);
  if (wrong.length > 0) return invalid(wrong.slice(0, ERRORS_MAX).map(({ row }) => ({ field: `${row}.${CUSTOMER}`, rule: CUSTOMER_ID_RULE })));
  return { count: rows.length, customers };
}

function columnErrors(name: string, again: boolean, names: readonly string[]): FieldError[] {
  const field = name === '' ? 'header' : name;
  if (!names.includes(name)) return [{ field, rule: `columns are features (${names.join(', ')}), or ${CUSTOMER} alone` }];
  return again ? [{ field, rule: 'one column of this name' }] : [];
}

/** NaN where the cell is empty; undefined where it is no number that a float32 holds. */
function valueOf(cell: string): number | undefined {
  const text = cell.trim();
  if (text === '') return Number.NaN;
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Math.abs(value) <= FLOAT32_MAX ? value : undefined;
}
