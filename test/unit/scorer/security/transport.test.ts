import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import t from 'tap';
import { Registry } from 'prom-client';
import { loadSettings } from '../../../../runtime/settings.js';
import { openSecurity } from '../../../../scorer/security/open.js';
import { makeCertificates } from '../../../support/certificates.js';
import { testLog } from '../../../support/cluster.js';
import { startSecuredScorer } from '../../../support/security.js';
import { until } from '../../../support/wait.js';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const first = makeCertificates(folder);
const stranger = makeCertificates(mkdtempSync(join(folder, 'other-')));
const read = (file: string): Buffer => readFileSync(file);
const asClient = { cert: read(first.clientCert), key: read(first.clientKey) };
const asStranger = { cert: read(stranger.clientCert), key: read(stranger.clientKey) };

interface Answer { status: number; headers: Record<string, unknown>; serial: string }
function get(port: number, path: string, options: ConnectionOptions = {}, headers: Record<string, string> = {}): Promise<Answer | string> {
  return new Promise((resolve) => {
    const req = request({ host: '127.0.0.1', port, path, ca: [read(first.ca), read(stranger.ca)], agent: false, headers, ...options }, (res) => {
      const serial = (res.socket as TLSSocket).getPeerCertificate().serialNumber;
      res.resume().on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, serial }));
    });
    req.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    req.end();
  });
}

/** A connection that asks again and again until it is told to stop. */
async function steady(port: number, options: ConnectionOptions): Promise<{ answers(): number; closed(): boolean; end(): void }> {
  const socket = connect({ host: '127.0.0.1', port, ca: read(first.ca), ...options });
  let answers = 0;
  let closed = false;
  socket.on('data', (data: Buffer) => { answers += data.toString().split('HTTP/1.1 200').length - 1; }).on('close', () => { closed = true; }).on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
  const asking = setInterval(() => socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'), 20);
  return { answers: () => answers, closed: () => closed, end() { clearInterval(asking); socket.destroy(); } };
}

for (const mutual of [false, true])
  t.test(mutual ? 'TLS that asks clients for a certificate' : 'TLS', async (t) => {
    const [cert, key] = [join(folder, `${mutual}.pem`), join(folder, `${mutual}.key`)];
    const put = (from: { serverCert: string; serverKey: string }): void => { copyFileSync(from.serverKey, key); copyFileSync(from.serverCert, cert); };
    put(first);
    const scorer = await startSecuredScorer(t, { SCORER_TLS_CERT_FILE: cert, SCORER_TLS_KEY_FILE: key, ...(mutual ? { SCORER_TLS_CLIENT_CA_FILE: first.ca } : {}), SCORER_ADDRESS_RATE_PER_S: '1000' }, true);
    const { port, keys, logged } = scorer;
    const shown = mutual ? asClient : {};
    const before = await get(port, '/customers/C1', shown, { 'x-api-key': keys.reader });
    t.match(before, { status: 404, headers: { 'strict-transport-security': /max-age=\d+/, 'x-content-type-options': 'nosniff', ratelimit: /"address";r=1999/ } });
    t.match(await get(port, '/health/live', { ...shown, maxVersion: 'TLSv1.2' }), { status: 200 });
    t.type(await get(port, '/health/live', { ...shown, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), 'string', 'no TLS of old');
    t.type(await get(port, '/health/live', { ...shown, ca: read(stranger.ca) }), 'string', 'a client that trusts another authority');
    if (mutual) {
      t.type(await get(port, '/health/live'), 'string', 'no certificate, no answer');
      t.type(await get(port, '/health/live', asStranger), 'string', 'nor with one of another authority');
      t.type(await get(port, '/health/live', { ...asStranger, maxVersion: 'TLSv1.2' }), 'string');
      t.match(await get(port, '/customers/C1', asClient), { status: 401 }, 'a certificate is no key');
    }

    const connection = await steady(port, shown);
    await until('it is answered', () => connection.answers() > 3);
    writeFileSync(cert, 'damaged');
    await until('the damage is told', () => logged.some((line) => line.includes('"event":"certificate_not_loaded"')));
    t.match(await get(port, '/health/live', shown), { status: 200, serial: (before as Answer).serial }, 'the one before stays');
    put(stranger);
    await until('the new certificate is shown', async () => {
      const now = await get(port, '/health/live', shown);
      return typeof now !== 'string' && now.status === 200 && now.serial !== (before as Answer).serial;
    });
    const answered = connection.answers();
    await until('the old connection goes on', () => connection.answers() > answered + 5);
    t.equal(connection.closed(), false);
    connection.end();
    const failed: unknown[] = [];
    for (let i = 0; i < 30; i++) {
      const now = await get(port, '/health/live', shown);
      if (typeof now === 'string' || now.status !== 200 || now.serial === (before as Answer).serial) failed.push(now);
    }
    t.same(failed, [], 'every connection from now on has the new one');
    t.ok(Number(Object.values(await scorer.metric('tidemark_scorer_certificate_expires_seconds'))[0]) * 1000 > Date.now());
  });

t.test('how a scorer must not start', async (t) => {
  const refused = async (env: Record<string, string>): Promise<string> => {
    const dataDir = mkdtempSync(join(folder, 'data-'));
    try {
      const security = await openSecurity(loadSettings({ DATA_DIR: dataDir, ...env }), testLog, new Registry());
      const listener = await security.listen(() => undefined, '127.0.0.1', 0).finally(() => security.stop());
      await listener.stop();
      return 'started';
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return `${code}: ${message}`;
    }
  };
  t.match(await refused({ SCORER_HOST: '0.0.0.0' }), /^CONFIG_INVALID: .*without keys .* without TLS .*SCORER_ALLOW_INSECURE/);
  t.match(await refused({ SCORER_HOST: '0.0.0.0', SCORER_TLS_CERT_FILE: first.serverCert, SCORER_TLS_KEY_FILE: first.serverKey }), /^CONFIG_INVALID: .*without keys/);
  t.equal(await refused({ SCORER_HOST: '0.0.0.0', SCORER_ALLOW_INSECURE: 'true' }), 'started');
  t.equal(await refused({}), 'started', 'loopback needs nothing');
  t.match(await refused({ SCORER_TLS_CERT_FILE: first.serverCert, SCORER_TLS_KEY_FILE: first.clientKey }), /^CONFIG_INVALID: SCORER_TLS_KEY_FILE: .* is not the key of the certificate/);
  t.match(await refused({ SCORER_TLS_CERT_FILE: join(folder, 'absent'), SCORER_TLS_KEY_FILE: first.serverKey }), /^CONFIG_INVALID: SCORER_TLS_CERT_FILE: cannot read/);
  t.match(await refused({ SCORER_TLS_CERT_FILE: first.serverCert, SCORER_TLS_KEY_FILE: first.serverKey, SCORER_TLS_CLIENT_CA_FILE: first.clientKey }), /^CONFIG_INVALID: SCORER_TLS_CLIENT_CA_FILE/);
  t.throws(() => loadSettings({ SCORER_TLS_CERT_FILE: 'x' }), { code: 'CONFIG_INVALID', message: /SCORER_TLS_CERT_FILE is set without SCORER_TLS_KEY_FILE/ });
  t.throws(() => loadSettings({ SCORER_CORS_ORIGINS: 'shop.example' }), { code: 'CONFIG_INVALID', message: /SCORER_CORS_ORIGINS/ });
});

t.test('connections beyond the bound are closed as they open', async (t) => {
  const scorer = await startSecuredScorer(t, { SCORER_CONNECTIONS_MAX: '3' }, false);
  const { connect: open } = await import('node:net');
  const sockets = Array.from({ length: 5 }, () => open(scorer.port, '127.0.0.1').on('error', () => undefined));
  const closed = new Set<number>();
  for (const [i, socket] of sockets.entries()) socket.on('close', () => closed.add(i)).resume();
  await until('two are closed', () => closed.size === 2);
  t.match(await scorer.metric('tidemark_scorer_connections'), { '': 3 });
  t.match(await scorer.metric('tidemark_scorer_refused_total'), { connections: 2 });
  for (const socket of sockets) socket.destroy();
  await until('there is room again', async () => (await fetch(`${scorer.url}/health/live`).catch(() => undefined))?.status === 200);
});
