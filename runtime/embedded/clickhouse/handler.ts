import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticate, ReaderGate, type Passwords, type User } from './access.js';
import { Admission } from './admission.js';
import { Spool } from './body.js';
import type { Connection, Engine, Outcome } from './engine.js';
import { createExternalTable } from './external-table.js';
import { contentTypeOf, isRowFormat } from './formats.js';
import { toRevision } from './native-blocks.js';
import { answerFor, ProtocolError } from './protocol-error.js';
import { readRequest, type ProtocolRequest } from './request.js';
import { sendError, sendWhole, setHeaders, setSummary } from './response.js';
import { sendStream } from './send-stream.js';
import { Sessions } from './sessions.js';
import { firstKeyword, quoteString, shapeOf } from './sql-text.js';
import { preambleOf, readStatement, type Statement } from './statement.js';
import { StreamPool, type ResultStream } from './stream-pool.js';

export const RUNNING_MAX = 12;
const WAITING_MAX = 256;
const NOTHING: Outcome = { bytes: new Uint8Array(0), rowsRead: 0, bytesRead: 0, rowsWritten: 0, bytesWritten: 0 };

interface Call {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly request: ProtocolRequest;
  readonly user: User;
  readonly statement: Statement;
  readonly startedAt: bigint;
}

/** A result made whole, or one that is sent as it comes. */
type Result = { readonly format: string } & ({ readonly whole: Outcome } | { readonly stream: ResultStream });

/** Answers requests of ClickHouse's HTTP protocol from the engine. */
export class Handler {
  private readonly admission = new Admission(RUNNING_MAX, WAITING_MAX);
  private readonly sessions: Sessions;
  private readonly spool: Spool;
  private readonly streams: StreamPool;
  private constructor(
    private readonly engine: Engine,
    private readonly passwords: Passwords,
    private readonly facts: { version: string; timezone: string; serverName: string },
    private readonly gate: ReaderGate,
  ) {
    this.sessions = new Sessions(engine);
    this.spool = new Spool(engine.dataDir);
    this.streams = new StreamPool(engine.dataDir);
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
    const head = readRequest(message);
    response.setHeader('X-ClickHouse-Query-Id', head.queryId);
    const isProbe = head.path === '/ping' || head.path === '/replicas_status'
      || (head.path === '/' && head.query === '' && (head.method === 'GET' || head.method === 'HEAD'));
    if (isProbe) return plain(response, 200, 'Ok.\n');
    if (head.path !== '/') return plain(response, 404, `There is no handle ${head.path}\n\nUse / or /ping for health checks.\nSend queries from your program with POST method or GET /?query=...\n`);
    if (head.method !== 'GET' && head.method !== 'POST' && head.method !== 'HEAD') return plain(response, 501, 'Use GET or POST.\n');
    const user = authenticate(head.user, head.password, this.passwords);
    const { request, statement } = await readStatement(message, head, this.spool);
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

  private async run(call: Call): Promise<void> {
    const { message, response, request, user } = call;
    if (response.destroyed) return;
    const { connection, done } = this.sessions.borrow(user, request.session);
    let running = true;
    response.once('close', () => { if (running) this.cancel(request); });
    try {
      if (call.statement.externals.length > 0 && user === 'reader') throw new ProtocolError(164, 'READONLY', 'reader: Cannot bring external tables in readonly mode.');
      for (const table of call.statement.externals) await createExternalTable(connection, this.spool, table);
      await connection.query(preambleOf(request, user, true), 'Null');
      const result = await this.execute(connection, call);
      setHeaders(response, { queryId: request.queryId, format: result.format, contentType: contentTypeOf(result.format), ...this.facts });
      const reshape = (bytes: Uint8Array): Uint8Array => (result.format === 'Native' ? toRevision(bytes, request.nativeRevision) : bytes);
      if ('stream' in result) {
        setSummary(response, NOTHING, call.startedAt);
        await sendStream(message, response, result.stream, request.compressResponse, this.facts.version, reshape);
        running = false;
      } else {
        running = false;
        setSummary(response, result.whole, call.startedAt);
        await sendWhole(message, response, reshape(result.whole.bytes), request.compressResponse);
      }
    } finally {
      running = false;
      done();
    }
  }

  private async execute(connection: Connection, { request, user, statement }: Call): Promise<Result> {
    const fallback = request.defaultFormat ?? 'TabSeparated';
    const { sql } = statement;
    if (statement.isInsert) {
      if (user === 'reader') throw new ProtocolError(164, 'READONLY', 'reader: Cannot execute query in readonly mode.');
      const read = await connection.query(sql, fallback);
      return { whole: { ...read, rowsWritten: read.rowsRead, bytesWritten: read.bytesRead }, format: fallback };
    }
    if (sql.trim() === '') throw new ProtocolError(62, 'SYNTAX_ERROR', 'Empty query.');
    const shape = shapeOf(sql);
    if (shape.several) throw new ProtocolError(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed): send one statement a request.');
    if (shape.hostFile) throw new ProtocolError(1, 'UNSUPPORTED_METHOD', 'INTO OUTFILE and FROM INFILE are not allowed over HTTP.');
    if (user === 'reader') await this.gate.check(connection, sql, shape);
    const format = shape.format ?? fallback;
    const stream = statement.externals.length === 0 && canStream(request, sql, format) ? await this.start(preambleOf(request, user, false), sql, format) : undefined;
    return stream === undefined ? { whole: await connection.query(sql, fallback), format } : { stream, format };
  }

  /** @returns undefined for a statement that the engine gives whole only */
  private async start(preamble: string, sql: string, format: string): Promise<ResultStream | undefined> {
    const stream = this.streams.open(preamble, sql, format);
    try {
      await stream.first();
      return stream;
    } catch (error) {
      stream.end();
      if (/Streaming query is not supported/.test(String(error))) return undefined;
      throw error;
    }
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

/** A session's settings and temporary tables live on its own connection, which serves whole results only. */
const canStream = (request: ProtocolRequest, sql: string, format: string): boolean =>
  request.session === undefined && !request.waitForEnd && isRowFormat(format) && /^(?:SELECT|WITH)$/.test(firstKeyword(sql));

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
