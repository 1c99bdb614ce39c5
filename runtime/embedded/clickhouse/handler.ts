import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticate, ReaderGate, type Passwords, type User } from './access.js';
import { Admission } from './admission.js';
import { readBody, Spool, type DataFile } from './body.js';
import type { Connection, Engine, Outcome } from './engine.js';
import { contentTypeOf } from './formats.js';
import { parseInsert, type InsertText } from './insert-text.js';
import { answerFor, ProtocolError } from './protocol-error.js';
import { readRequest, type ProtocolRequest } from './request.js';
import { sendError, sendWhole, setHeaders, setSummary } from './response.js';
import { Sessions } from './sessions.js';
import { firstKeyword, quoteName, quoteString, shapeOf } from './sql-text.js';

export const RUNNING_MAX = 12;
const WAITING_MAX = 256;
/** A statement without inline data is held as text; more than this is data sent as if it were one. */
const STATEMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Where the data of an INSERT in the body must have begun. */
const HEAD_BYTES = 256 * 1024;

/** Answers requests of ClickHouse's HTTP protocol from the engine. */
export class Handler {
  private readonly admission = new Admission(RUNNING_MAX, WAITING_MAX);
  private readonly sessions: Sessions;
  private readonly spool: Spool;
  private constructor(
    private readonly engine: Engine,
    private readonly passwords: Passwords,
    private readonly facts: { version: string; timezone: string; serverName: string },
    private readonly gate: ReaderGate,
  ) {
    this.sessions = new Sessions(engine);
    this.spool = new Spool(engine.dataDir);
  }

  static async create(engine: Engine, passwords: Passwords): Promise<Handler> {
    const [version, timezone, serverName, tableFunctions] = await Promise.all([
      engine.scalar('SELECT version()'), engine.scalar('SELECT timezone()'), engine.scalar('SELECT displayName()'),
      engine.scalar('SELECT name FROM system.table_functions'),
    ]);
    return new Handler(engine, passwords, { version, timezone, serverName }, new ReaderGate(tableFunctions.split('\n')));
  }

  get busy(): number { return this.admission.busy; }
  close(): Promise<void> { return this.sessions.close(); }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.answer(message, response);
    } catch (error) {
      sendError(response, answerFor(error, this.facts.version));
      message.resume();
    }
  }

  private async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = process.hrtime.bigint();
    const request = readRequest(message);
    const isProbe = request.path === '/ping' || request.path === '/replicas_status'
      || (request.path === '/' && request.query === '' && (request.method === 'GET' || request.method === 'HEAD'));
    if (isProbe) return plain(response, 200, 'Ok.\n');
    if (request.path !== '/') return plain(response, 404, `There is no handle ${request.path}\n\nUse / or /ping for health checks.\nSend queries from your program with POST method or GET /?query=...\n`);
    if (request.method !== 'GET' && request.method !== 'POST' && request.method !== 'HEAD') return plain(response, 501, 'Use GET or POST.\n');
    const user = authenticate(request.user, request.password, this.passwords);
    const statement = await this.readStatement(message, request);
    try {
      const release = await this.admission.enter();
      try {
        await this.run({ message, response, request, user, statement, startedAt });
      } finally {
        release();
      }
    } finally {
      await statement.release();
    }
  }

  /** The statement, and with an INSERT its data in a file. */
  private async readStatement(message: IncomingMessage, request: ProtocolRequest): Promise<Statement> {
    const inUrl = insertOf(request.query);
    if (inUrl !== undefined && request.query.slice(inUrl.dataAt).trim() === '') {
      const file = await this.spool.fromMessage(message);
      return { sql: fromFile(inUrl, file), isInsert: true, release: () => file.remove() };
    }
    const body = await readBody(message);
    try {
      const whole = request.query === '' ? body.bytes : Buffer.concat([Buffer.from(body.bytes.length === 0 ? request.query : `${request.query}\n`), body.bytes]);
      // One character a byte, so that places in the head are places in the bytes.
      const insert = insertOf(whole.subarray(0, HEAD_BYTES).toString('latin1'));
      if (insert !== undefined) {
        const file = await this.spool.fromBytes(whole.subarray(insert.dataAt));
        const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
        return { sql: fromFile({ ...insert, target: utf8(insert.target), settings: utf8(insert.settings) }, file), isInsert: true, release: () => file.remove() };
      }
      if (whole.length > STATEMENT_BYTES_MAX) throw new ProtocolError(229, 'QUERY_IS_TOO_LARGE', `Query is ${whole.length} bytes, maximum ${STATEMENT_BYTES_MAX}.`);
      return { sql: whole.toString('utf8'), isInsert: false, release: async () => undefined };
    } finally {
      body.release();
    }
  }

  private async run(call: Call): Promise<void> {
    const { message, response, request, user } = call;
    const { connection, done } = this.sessions.borrow(user, request.session);
    let watching = true;
    response.once('close', () => { if (watching) this.cancel(request); });
    try {
      await connection.query(preamble(request, user), 'Null');
      const { outcome, format } = await this.execute(connection, call);
      watching = false;
      setHeaders(response, { queryId: request.queryId, format, contentType: contentTypeOf(format), ...this.facts });
      setSummary(response, outcome, call.startedAt);
      await sendWhole(message, response, outcome.bytes, request.compressResponse);
    } catch (error) {
      response.setHeader('X-ClickHouse-Query-Id', request.queryId);
      throw error;
    } finally {
      watching = false;
      done();
    }
  }

  private async execute(connection: Connection, { request, user, statement }: Call): Promise<{ outcome: Outcome; format: string }> {
    const fallback = request.defaultFormat ?? 'TabSeparated';
    if (statement.isInsert) {
      if (user === 'reader') throw new ProtocolError(164, 'READONLY', 'reader: Cannot execute query in readonly mode.');
      const read = await connection.query(statement.sql, fallback);
      return { outcome: { ...read, rowsWritten: read.rowsRead, bytesWritten: read.bytesRead }, format: fallback };
    }
    const { sql } = statement;
    if (sql.trim() === '') throw new ProtocolError(62, 'SYNTAX_ERROR', 'Empty query.');
    const shape = shapeOf(sql);
    if (shape.several) throw new ProtocolError(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed): send one statement a request.');
    if (shape.hostFile) throw new ProtocolError(1, 'UNSUPPORTED_METHOD', 'INTO OUTFILE and FROM INFILE are not allowed over HTTP.');
    if (user === 'reader') await this.gate.check(connection, sql, shape);
    return { outcome: await connection.query(sql, fallback), format: shape.format ?? fallback };
  }

  /** The client went away: its statement is stopped, wherever the engine checks for it. */
  private cancel(request: ProtocolRequest): void {
    if (request.settings['log_comment'] !== undefined) return;
    const connection = this.engine.connect();
    connection.query(`KILL QUERY WHERE Settings['log_comment'] = ${quoteString(request.queryId)} ASYNC FORMAT Null`, 'Null')
      .catch(() => undefined)
      .finally(() => void connection.close());
  }
}

interface Statement { readonly sql: string; readonly isInsert: boolean; release(): Promise<void> }

const insertOf = (head: string): InsertText | undefined => (firstKeyword(head) === 'INSERT' ? parseInsert(head) : undefined);

const fromFile = (insert: InsertText, file: DataFile): string =>
  `${insert.target} FROM INFILE ${quoteString(file.path)} COMPRESSION '${file.compression}' ${insert.settings} FORMAT ${insert.format}`;

interface Call {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly request: ProtocolRequest;
  readonly user: User;
  readonly statement: Statement;
  readonly startedAt: bigint;
}

/** What the request sets before its own statement: database, settings, parameters; readonly last, as it locks the rest. */
function preamble(request: ProtocolRequest, user: User): string {
  // The statement is found again by its comment when it has to be stopped: the engine gives no way to name its query id.
  const assignments = [`log_comment = ${quoteString(request.queryId)}`];
  for (const [name, value] of Object.entries(request.settings)) if (name !== 'readonly') assignments.push(`${name} = ${quoteString(value)}`);
  for (const [name, value] of Object.entries(request.parameters)) assignments.push(`${quoteName(`param_${name}`)} = ${quoteString(value)}`);
  const onlyReads = user === 'reader' || request.method !== 'POST';
  if (onlyReads) assignments.push('readonly = 2');
  else if (request.settings['readonly'] !== undefined) assignments.push(`readonly = ${quoteString(request.settings['readonly'])}`);
  const use = request.session === undefined || request.database !== 'default' ? `USE ${quoteName(request.database)}; ` : '';
  return `${use}SET ${assignments.join(', ')}`;
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
