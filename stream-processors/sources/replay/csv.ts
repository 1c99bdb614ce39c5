import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { TidemarkError } from '../../../runtime/errors.js';
import { FIELDS, type Field, type FieldMap, type InputRow } from './rows.js';

const BLOCK_ROWS = 2000;
/** A quote that is never closed would otherwise take the rest of the file for one row. */
const ROW_CHARACTERS_MAX = 4 * 1024 * 1024;
const REQUIRED: readonly Field[] = ['customer_id', 'event_type', 'event_time'];
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const EPOCH_MS = /^\d{1,16}$/;
const PROPERTY = 'properties.';

/** Where each field is found in a row of cells. */
interface Columns {
  readonly at: readonly { readonly field: Field; readonly column: number }[];
  readonly constants: readonly { readonly field: Field; readonly text: string }[];
  readonly properties: readonly { readonly name: string; readonly column: number }[];
}

/** Rows of a CSV file (RFC 4180, the first row names the columns). Empty cells are absent fields. */
export async function* readCsv(input: Readable, map: FieldMap): AsyncGenerator<InputRow[]> {
  const parser = parse({ bom: true, relax_column_count: true, relax_quotes: true, max_record_size: ROW_CHARACTERS_MAX });
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  let columns: Columns | undefined;
  let line = 1;
  let block: InputRow[] = [];
  for await (const cells of recordsOf(parser)) {
    for (const row of cells) {
      const first = line;
      line += 1 + lineBreaksIn(row);
      if (row.length === 1 && row[0]!.trim() === '') continue;
      if (columns === undefined) columns = columnsOf(row, map);
      else block.push({ line: first, fields: fieldsOf(row, columns), raw: undefined });
    }
    if (block.length > 0) yield block;
    block = [];
  }
}

/** Takes what the parser has ready as one block: one wait a block and not one a row. */
async function* recordsOf(parser: Readable): AsyncGenerator<string[][]> {
  let failure: Error | undefined;
  let ended = false;
  let wake: () => void = () => undefined;
  parser.on('readable', () => wake());
  parser.on('end', () => { ended = true; wake(); });
  parser.on('error', (error) => { failure = error; wake(); });
  for (;;) {
    const block: string[][] = [];
    for (let row = parser.read() as string[] | null; row !== null; row = parser.read() as string[] | null) {
      block.push(row);
      if (block.length === BLOCK_ROWS) break;
    }
    if (block.length > 0) yield block;
    else if (failure !== undefined) throw failure;
    else if (ended) return;
    else await new Promise<void>((resolve) => { wake = resolve; });
  }
}

function columnsOf(header: readonly string[], map: FieldMap): Columns {
  const names = header.map((name) => name.trim());
  const at: { field: Field; column: number }[] = [];
  const constants: { field: Field; text: string }[] = [];
  const missing: string[] = [];
  for (const field of FIELDS) {
    const name = map[field] ?? field;
    if (name.startsWith('=')) { constants.push({ field, text: name.slice(1) }); continue; }
    const column = names.indexOf(name);
    if (column >= 0) at.push({ field, column });
    else if (map[field] !== undefined || REQUIRED.includes(field)) missing.push(name === field ? field : `${name} (for ${field})`);
  }
  if (missing.length > 0)
    throw new TidemarkError('INPUT_INVALID', `CSV header: no column ${missing.join(', ')} among ${names.join(', ')}; name others with --map ${REQUIRED[0]}=COLUMN`);
  const properties = names.flatMap((name, column) => (name.startsWith(PROPERTY) && name.length > PROPERTY.length ? [{ name: name.slice(PROPERTY.length), column }] : []));
  return { at, constants, properties };
}

function fieldsOf(cells: readonly string[], { at, constants, properties }: Columns): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { field, column } of at) {
    const cell = cells[column];
    if (cell !== undefined && cell !== '') fields[field] = valueOf(field, cell);
  }
  for (const { field, text } of constants) fields[field] = valueOf(field, text);
  if (properties.length > 0) {
    const entries = properties.filter(({ column }) => (cells[column] ?? '') !== '').map(({ name, column }) => [name, cells[column]!]);
    const given = fields['properties'];
    if (entries.length > 0 && (given === undefined || (typeof given === 'object' && given !== null && !Array.isArray(given)))) fields['properties'] = { ...given, ...Object.fromEntries(entries) };
  }
  return fields;
}

/** A cell as the JSON value that it stands for; one that stands for none stays text, which the event's rules then refuse. */
function valueOf(field: Field, cell: string): unknown {
  if (field === 'amount' || field === 'quantity') return NUMBER.test(cell.trim()) ? Number(cell) : cell;
  if (field === 'event_time') return EPOCH_MS.test(cell) ? Number(cell) : cell;
  if (field !== 'properties') return cell;
  try {
    return JSON.parse(cell) as unknown;
  } catch {
    return cell;
  }
}

function lineBreaksIn(cells: readonly string[]): number {
  let count = 0;
  for (const cell of cells) for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) count++;
  return count;
}
