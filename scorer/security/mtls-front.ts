import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import type { TemplatedApp } from 'uWebSockets.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { type CertificateFiles, readCertificate } from './certificate.js';
import { normalAddress } from './core/address.js';
import { proxyHeader } from './core/proxy-header.js';
import type { SecurityMetrics } from './metrics.js';
import type { Listener } from './transport.js';
import { watchFiles } from './watch-files.js';

const HANDSHAKE_MS_MAX = 10_000;

export interface FrontOptions {
  readonly app: TemplatedApp;
  readonly certificate: CertificateFiles;
  readonly connectionsMax: number;
  readonly metrics: SecurityMetrics;
  readonly log: Log;
  readonly lookMs?: number;
}

/**
 * TLS that lets in only clients with a certificate. uWebSockets checks one that is shown but lets in who shows none, so Node's TLS
 * stands in front and hands the connection on through a socket that only this user can open, with the client's address.
 */
export async function startClientCertificateFront({ app, certificate, connectionsMax, metrics, log, lookMs }: FrontOptions, host: string, port: number): Promise<Listener> {
  const first = await readCertificate(certificate);
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-tls-'));
  const inside = join(folder, 'scorer.sock');
  await new Promise<void>((resolve, reject) => {
    app.listen_unix((socket: unknown) => (socket === false ? reject(new TidemarkError('REQUIREMENT_MISSING', `${inside} cannot be listened on: is ${tmpdir()} writable, and its path short?`)) : resolve()), inside);
  });

  const open = new Set<TLSSocket>();
  const server = createServer({ ...first.pem, requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_MS_MAX, ALPNProtocols: ['http/1.1'], noDelay: true }, (outer) => {
    const inner = connect(inside);
    open.add(outer);
    outer.on('error', () => inner.destroy()).on('close', () => { open.delete(outer); inner.destroy(); });
    inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
    // uWebSockets wants the header and the first bytes of a request at once.
    const header = proxyHeader(normalAddress(outer.remoteAddress ?? '') ?? '0.0.0.0', outer.remotePort ?? 0);
    outer.once('data', (first: Buffer) => {
      inner.write(Buffer.concat([header, first]));
      outer.pipe(inner);
    });
    inner.pipe(outer);
  });
  server.maxConnections = connectionsMax;
  // Node tells of a handshake that fails or takes too long, and leaves the connection to who listens.
  server.on('tlsClientError', (_error, socket) => {
    metrics.refused('unauthenticated');
    socket.destroy();
  });

  const told = ({ subject, expiresAtMs }: typeof first): void => {
    metrics.certificate(expiresAtMs);
    log.info('certificate_loaded', { subject, expires: new Date(expiresAtMs).toISOString(), client_certificates: true });
  };
  const watch = await watchFiles([certificate.cert, certificate.key, certificate.clientCa!], async () => {
    try {
      const next = await readCertificate(certificate);
      server.setSecureContext(next.pem);
      told(next);
    } catch (error) {
      log.error('certificate_not_loaded', error);
    }
  }, lookMs);
  const stopInside = async (): Promise<void> => {
    await watch.stop();
    app.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new TidemarkError('PORT_TAKEN', `the scorer cannot listen on ${host}:${port} (${cause.message}); set SCORER_PORT or SCORER_HOST`, { cause })));
      server.listen({ host, port, exclusive: true }, resolve);
    });
  } catch (error) {
    await stopInside();
    throw error;
  }
  told(first);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    unlisten() {
      server.close();
      return Promise.resolve();
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      await stopInside();
    },
  };
}
