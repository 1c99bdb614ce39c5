import { createServer, type IncomingMessage } from 'node:http';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { runService } from '../../lifecycle.js';
import { Log } from '../../log.js';
import { LOOPBACK } from '../../ports.js';
import { Engine } from './engine.js';
import { Handler } from './handler.js';

const URL_BYTES_MAX = 1024 * 1024;
const KEEP_ALIVE_MS = 30_000;
const DRAIN_MS = 10_000;

/** The process of the embedded ClickHouse: `main.js DATA_FOLDER PORT`; passwords come by environment, never by argument. */
const [folder = '', port = ''] = process.argv.slice(2);
const log = new Log('clickhouse');

await runService(log, async () => {
  const dataDir = resolve(folder);
  mkdirSync(dataDir, { recursive: true });
  const engine = new Engine(dataDir);
  const handler = await Handler.create(engine, { default: process.env['CLICKHOUSE_PASSWORD'] ?? '', reader: process.env['CLICKHOUSE_READER_PASSWORD'] ?? '' });
  const server = createServer({ maxHeaderSize: URL_BYTES_MAX, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0, noDelay: true }, (request, response) => {
    if (!isLocal(request)) {
      response.writeHead(403).end('Code: 497. DB::Exception: Requests of web pages on other sites are refused. (ACCESS_DENIED)\n');
      return;
    }
    void handler.handle(request, response);
  });
  await new Promise<void>((done, fail) => { server.once('error', fail); server.listen(Number(port), LOOPBACK, done); });
  return {
    async stop() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeIdleConnections();
      const until = Date.now() + DRAIN_MS;
      while (handler.busy > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 20));
      server.closeAllConnections();
      await closed;
      await handler.close();
      engine.close();
    },
  };
});

/** A page of another site in the user's browser could reach a loopback port too; a program sends neither of these headers. */
function isLocal(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  return (site === undefined || site === 'none' || site === 'same-origin') && ['127.0.0.1', 'localhost', '[::1]'].includes(host);
}
