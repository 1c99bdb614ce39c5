import { readCsv } from './csv.js';
import { createRowReader } from '../core/json-rows.js';
import { parseJson } from '../api/body.js';
import { ERRORS_MAX, predictRequestParser } from '../api/predict-request.js';
import { invalid, type FieldError, type Problem } from '../api/problem.js';

/** Rows of one body. Beyond it a client sends several, or NDJSON. */
export const BATCH_ROWS_MAX = 100_000;
const ROWS_FIRST = 1024;

/** Rows of a body as they were read into the reader's matrix, from row `from` on; all numbers of rows are the matrix's. */
export interface Rows {
  readonly from: number;
  readonly count: number;
  /** Rows that are a customer's, whose values are to be looked up. */
  readonly customers: readonly { readonly row: number; readonly id: string }[];
  /** NDJSON: lines that are no row, in their place. */
  readonly problems: ReadonlyMap<number, Problem>;
}

/** Reads the bodies of batches: usual rows from their bytes, others through the checks of POST /predict. */
export function createBatchReader(names: readonly string[]) {
  const width = names.length;
  const reader = createRowReader(names);
  const parse = predictRequestParser(names);
  let matrix = new Float32Array(ROWS_FIRST * width);

  function room(row: number): void {
    if ((row + 1) * width <= matrix.length) return;
    const wider = new Float32Array(Math.max(matrix.length * 2, (row + 1) * width));
    wider.set(matrix);
    matrix = wider;
  }

  /** A list of usual rows, the body's whole or its `instances`. @returns how many, or -1 where the body is anything else */
  function usual(bytes: Uint8Array, from: number): number {
    const limit = bytes.length;
    let at = opening(bytes);
    if (at < 0) return -1;
    for (let row = 0; row < BATCH_ROWS_MAX;) {
      room(from + row);
      if (!reader.row(bytes, at, limit, matrix, (from + row) * width)) return -1;
      row++;
      at = skip(bytes, reader.end);
      const byte = bytes[at];
      at++;
      if (byte === CLOSE) return closed(bytes, at) ? row : -1;
      if (byte !== COMMA) return -1;
    }
    return -1;
  }

  function general(bytes: Uint8Array, from: number): Rows | Problem {
    const parsed = parseJson(bytes);
    if ('problem' in parsed) return parsed.problem;
    const list = listOf(parsed.body);
    if (!Array.isArray(list)) return invalid([{ field: 'body', rule: 'a list of rows, or {"instances": [rows]}' }]);
    if (list.length === 0 || list.length > BATCH_ROWS_MAX) return invalid([{ field: 'body', rule: `1 to ${BATCH_ROWS_MAX} rows, got ${list.length}` }]);
    const customers: { row: number; id: string }[] = [];
    const errors: FieldError[] = [];
    for (let row = 0; row < list.length && errors.length < ERRORS_MAX; row++) {
      room(from + row);
      const request = parse(list[row]);
      if ('errors' in request) errors.push(...request.errors.map(({ field, rule }) => ({ field: `${row}.${field}`, rule })));
      else if ('values' in request) matrix.set(request.values, (from + row) * width);
      else customers.push({ row: from + row, id: request.customerId });
    }
    if (errors.length > 0) return invalid(errors.slice(0, ERRORS_MAX));
    return { from, count: list.length, customers, problems: NONE };
  }

  return {
    /** Look it up after reading: it grows. */
    get matrix() { return matrix; },
    /** @param from where in the matrix: several bodies can be read one behind the other */
    json(bytes: Uint8Array, from = 0): Rows | Problem {
      const count = usual(bytes, from);
      return count > 0 ? { from, count, customers: [], problems: NONE } : general(bytes, from);
    },
    csv(bytes: Uint8Array): Rows | Problem {
      const read = readCsv(bytes, names, BATCH_ROWS_MAX, (rows) => {
        room(rows - 1);
        return matrix;
      });
      return 'status' in read ? read : { from: 0, ...read, problems: NONE };
    },
    /** Whole lines, each a row; empty ones are passed over. */
    lines(bytes: Uint8Array): Rows {
      const customers: { row: number; id: string }[] = [];
      const problems = new Map<number, Problem>();
      let row = 0;
      for (let at = 0; at < bytes.length;) {
        const newline = bytes.indexOf(NEWLINE, at);
        const end = newline < 0 ? bytes.length : newline;
        const from = skip(bytes, at);
        if (from < end) {
          room(row);
          if (!(reader.row(bytes, from, end, matrix, row * width) && skip(bytes, reader.end) >= end)) {
            const request = requestOf(bytes.subarray(from, end));
            if ('status' in request) problems.set(row, request);
            else if ('values' in request) matrix.set(request.values, row * width);
            else customers.push({ row, id: request.customerId });
          }
          row++;
        }
        at = end + 1;
      }
      return { from: 0, count: row, customers, problems };
    },
  };

  function requestOf(line: Uint8Array): Problem | { values: readonly number[] } | { customerId: string } {
    const parsed = parseJson(line);
    if ('problem' in parsed) return parsed.problem;
    const request = parse(parsed.body);
    return 'errors' in request ? invalid(request.errors) : request;
  }
}

const NONE: ReadonlyMap<number, Problem> = new Map();
const COMMA = 0x2c, OPEN = 0x5b, CLOSE = 0x5d, BRACE = 0x7b, UNBRACE = 0x7d, COLON = 0x3a, NEWLINE = 0x0a;
const INSTANCES = Buffer.from('"instances"');

function skip(bytes: Uint8Array, at: number): number {
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== NEWLINE && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

/** Where the first row may begin; -1 where the body does not begin like a list. */
function opening(bytes: Uint8Array): number {
  let at = skip(bytes, 0);
  if (bytes[at] === OPEN) return at + 1;
  if (bytes[at] !== BRACE) return -1;
  at = skip(bytes, at + 1);
  for (const byte of INSTANCES) if (bytes[at++] !== byte) return -1;
  at = skip(bytes, at);
  if (bytes[at] !== COLON) return -1;
  at = skip(bytes, at + 1);
  return bytes[at] === OPEN ? at + 1 : -1;
}

function closed(bytes: Uint8Array, at: number): boolean {
  at = skip(bytes, at);
  if (bytes[skip(bytes, 0)] === BRACE) {
    if (bytes[at] !== UNBRACE) return false;
    at = skip(bytes, at + 1);
  }
  return at === bytes.length;
}

function listOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const keys = Object.keys(body);
  return keys.length === 1 && keys[0] === 'instances' ? (body as { instances: unknown }).instances : undefined;
}
