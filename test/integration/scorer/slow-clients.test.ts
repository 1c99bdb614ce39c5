import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeCertificates } from '../../support/certificates.js';
import { startSecuredScorer, type SecuredScorer } from '../../support/security.js';
import { until } from '../../support/wait.js';

/** What uWebSockets and the front do by themselves against clients that take their time, held by real sockets side by side. */
const folder = mkdtempSync(join(tmpdir(), 'tidemark-slow-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const certificates = makeCertificates(folder);
const TLS = { SCORER_TLS_CERT_FILE: certificates.serverCert, SCORER_TLS_KEY_FILE: certificates.serverKey };

interface Slow { readonly what: string; readonly begin: string | Buffer; readonly drip?: string }
/** The beginning of a ClientHello that promises 512 bytes. */
const HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);
const HTTP: readonly Slow[] = [
  { what: 'nothing at all', begin: '' },
  { what: 'headers, a byte at a time', begin: 'GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ', drip: 'a' },
  { what: 'a header line after the other', begin: 'GET /health HTTP/1.1\r\nhost: x\r\n', drip: 'x-a: b\r\n' },
  { what: 'no body', begin: 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n' },
  { what: 'a body, a byte at a time', begin: 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n', drip: ' ' },
  { what: 'a chunked body, a byte at a time', begin: 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n', drip: '1\r\n \r\n' },
  { what: 'nothing after an answer', begin: 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n' },
  { what: 'control characters in a header', begin: 'GET /health/live HTTP/1.1\r\nhost: x\r\nx-a: a\u0001b\u0000c\r\n\r\n' },
  { what: 'a carriage return in a header', begin: 'GET /health/live HTTP/1.1\r\nhost: x\r\nx-a: a\rset-cookie: x\r\n\r\n' },
  { what: 'a header that is folded', begin: 'GET /health/live HTTP/1.1\r\nhost: x\r\nx-a: a\r\n b\r\n\r\n' },
  { what: 'more headers than are taken', begin: `GET /health/live HTTP/1.1\r\nhost: x\r\n${Array.from({ length: 120 }, (_, i) => `x-${i}: 1\r\n`).join('')}\r\n` },
];
const HANDSHAKE: readonly Slow[] = [{ what: 'no handshake', begin: '' }, { what: 'half a handshake', begin: HELLO, drip: '\u0000' }];

/** Opens a connection and drips into it. @returns resolves with what came back once the server has closed it */
function slow(port: number, { begin, drip }: Slow, sockets: Set<Socket>): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    let got = '';
    const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 1000);
    socket.on('data', (data: Buffer) => { got += data.toString('latin1'); }).on('error', () => undefined).on('close', () => {
      clearInterval(dripping);
      sockets.delete(socket);
      resolve(got);
    });
    if (begin.length > 0) socket.write(begin);
  });
}

const servers: readonly { name: string; scorer: SecuredScorer; clients: readonly Slow[] }[] = [
  { name: 'plain', scorer: await startSecuredScorer(t, {}, false), clients: HTTP },
  { name: 'TLS', scorer: await startSecuredScorer(t, TLS, false), clients: HANDSHAKE },
  { name: 'client certificates', scorer: await startSecuredScorer(t, { ...TLS, SCORER_TLS_CLIENT_CA_FILE: certificates.ca }, false), clients: HANDSHAKE },
];

t.test('clients that take their time are closed, and hold up nobody', async (t) => {
  const sockets = new Set<Socket>();
  const over: string[] = [];
  const all = servers.flatMap(({ name, scorer, clients }) => clients.map(async (client) => {
    const got = await slow(scorer.port, client, sockets);
    over.push(`${name}: ${client.what}`);
    return { what: `${name}: ${client.what}`, got };
  }));
  const total = all.length;
  let asked = 0;
  await until('each of them is closed', async () => {
    if ((await fetch(`${servers[0]!.scorer.url}/health/live`)).status !== 200) throw new Error('somebody else is held up');
    asked++;
    return over.length === total;
  }, 60_000).catch((error: unknown) => {
    for (const socket of sockets) socket.destroy();
    throw new Error(`${String(error)}; closed were ${over.join(', ')}`);
  });
  t.ok(asked > 10, `${asked} others were answered meanwhile`);
  for (const { what, got } of await Promise.all(all)) {
    if (what.endsWith('after an answer')) t.match(got, /^HTTP\/1.1 200 /, what);
    else t.notMatch(got, /HTTP\/1.1 200|set-cookie/, what);
  }
});

t.test('headers that are too large, and two lengths of a body that differ', async (t) => {
  const sockets = new Set<Socket>();
  const { port } = servers[0]!.scorer;
  t.match(await slow(port, { what: '', begin: `GET /health/live HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(700_000)}\r\n\r\n` }, sockets), /^HTTP\/1.1 431 /);
  t.match(await slow(port, { what: '', begin: 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' }, sockets), /^HTTP\/1.1 400 /);
  t.match(await slow(port, { what: '', begin: 'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n' }, sockets), /^HTTP\/1.1 400 /);
});
