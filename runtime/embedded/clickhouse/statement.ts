import type { IncomingMessage } from 'node:http';
import type { User } from './access.js';
import { readBody, type DataFile, type Spool } from './body.js';
import { externalTable, type ExternalTable } from './external-table.js';
import { parseInsert, type InsertText } from './insert-text.js';
import { ProtocolError } from './protocol-error.js';
import { boundaryOf, splitParts, type Part } from './multipart.js';
import { readRequest, type ProtocolRequest } from './request.js';
import { firstKeyword, quoteName, quoteString } from './sql-text.js';

/** What a request asks to be run; an INSERT has its data in a file that `release` removes. */
export interface Statement {
  readonly sql: string;
  readonly isInsert: boolean;
  readonly externals: readonly ExternalTable[];
  release(): Promise<void>;
}

/** The request with what its form said, and its statement. */
export interface Asked { readonly request: ProtocolRequest; readonly statement: Statement }

/** A statement without inline data is held as text; more than this is data sent as if it were one. */
const STATEMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Where the data of an INSERT in the body must have begun. */
const HEAD_BYTES = 256 * 1024;
/** Results that are made whole before they are sent stay below this. */
const WHOLE_RESULT_BYTES_MAX = 2 * 1024 * 1024 * 1024;

const insertOf = (head: string): InsertText | undefined => (firstKeyword(head) === 'INSERT' ? parseInsert(head) : undefined);

const fromFile = (insert: InsertText, file: DataFile): Statement => ({
  sql: `${insert.target} FROM INFILE ${quoteString(file.path)} COMPRESSION '${file.compression}' ${insert.settings} FORMAT ${insert.format ?? 'Values'}`,
  isInsert: true,
  externals: [],
  release: () => file.remove(),
});

/** The statement of the `query` parameter and the body, one after the other, as ClickHouse joins them, or of a form's parts. */
export async function readStatement(message: IncomingMessage, request: ProtocolRequest, spool: Spool): Promise<Asked> {
  const boundary = boundaryOf(message.headers['content-type']);
  const inUrl = boundary === undefined ? insertOf(request.query) : undefined;
  if (inUrl?.format !== undefined && request.query.slice(inUrl.dataAt).trim() === '')
    return { request, statement: fromFile(inUrl, await spool.fromMessage(message)) };
  const body = await readBody(message);
  try {
    if (boundary !== undefined) return await fromForm(message, splitParts(body.bytes, boundary), spool);
    return { request, statement: await statementOf(request.query, body.bytes, spool) };
  } finally {
    body.release();
  }
}

/** A form has parameters that are too long for a URL, and the data of external tables under the tables' names. */
async function fromForm(message: IncomingMessage, parts: readonly Part[], spool: Spool): Promise<Asked> {
  const names = new Set(parts.map((part) => part.name));
  const isTable = ({ name }: Part): boolean => name !== 'query' && !name.startsWith('param_') && !/_(?:format|structure|types)$/.test(name)
    && ['structure', 'types'].some((what) => names.has(`${name}_${what}`) || urlHas(message, `${name}_${what}`));
  const tables = parts.filter(isTable);
  const fields = Object.fromEntries(parts.filter((part) => !tables.includes(part)).map((part) => [part.name, part.bytes.toString('utf8')]));
  const request = readRequest(message, fields);
  const statement = await statementOf(request.query, Buffer.alloc(0), spool);
  return { request, statement: { ...statement, externals: tables.map((part) => externalTable({ ...part, bytes: Buffer.from(part.bytes) }, request.externals)) } };
}

const urlHas = (message: IncomingMessage, name: string): boolean => new URL(message.url ?? '/', 'http://localhost').searchParams.has(name);

/** @param query the text before the body; empty: the body is all */
export async function statementOf(query: string, body: Buffer, spool: Spool): Promise<Statement> {
  const whole = query === '' ? body : Buffer.concat([Buffer.from(body.length === 0 ? query : `${query}\n`), body]);
  // One character a byte, so that places in the head are places in the bytes.
  const insert = insertOf(whole.subarray(0, HEAD_BYTES).toString('latin1'));
  if (insert !== undefined) {
    const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
    return fromFile({ ...insert, target: utf8(insert.target), settings: utf8(insert.settings) }, await spool.fromBytes(whole.subarray(insert.dataAt)));
  }
  if (whole.length > STATEMENT_BYTES_MAX) throw new ProtocolError(229, 'QUERY_IS_TOO_LARGE', `Query is ${whole.length} bytes, maximum ${STATEMENT_BYTES_MAX}.`);
  return { sql: whole.toString('utf8'), isInsert: false, externals: [], release: async () => undefined };
}

/**
 * What the request sets before its own statement: database, settings, parameters; readonly last, as it locks the rest.
 * @param whole the result is made whole before it is sent, and so is bounded
 */
export function preambleOf(request: ProtocolRequest, user: User, whole: boolean): string {
  // The statement is found again by its comment when it has to be stopped: the engine gives no way to name its query id.
  const assignments = [`log_comment = ${quoteString(request.queryId)}`];
  if (whole) assignments.push(`max_result_bytes = ${WHOLE_RESULT_BYTES_MAX}`);
  for (const [name, value] of Object.entries(request.settings)) if (name !== 'readonly') assignments.push(`${name} = ${quoteString(value)}`);
  for (const [name, value] of Object.entries(request.parameters)) assignments.push(`${quoteName(`param_${name}`)} = ${quoteString(value)}`);
  const onlyReads = user === 'reader' || request.method !== 'POST';
  if (onlyReads) assignments.push('readonly = 2');
  else if (request.settings['readonly'] !== undefined) assignments.push(`readonly = ${quoteString(request.settings['readonly'])}`);
  const use = request.session === undefined || request.database !== 'default' ? `USE ${quoteName(request.database)}; ` : '';
  return `${use}SET ${assignments.join(', ')}`;
}
