import { setImmediate as nextTurn } from 'node:timers/promises';
import uws, { type AppOptions, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { freePort, isPortFree } from '../../runtime/ports.js';
import { type CertificateFiles, readCertificate } from './certificate.js';
import type { SecurityMetrics } from './metrics.js';
import { startClientCertificateFront } from './mtls-front.js';
import { watchFiles } from './watch-files.js';

/** Puts the routes on an app: once for each app that listens. */
export type Mount = (app: TemplatedApp) => void;

export interface Listener extends Stoppable {
  readonly port: number;
  /** Nobody connects any more; connections that are open go on. */
  unlisten(): Promise<void>;
}

/** Opens the door that a server's routes stand behind. @throws TidemarkError PORT_TAKEN, CONFIG_INVALID */
export type Listen = (mount: Mount, host: string, port: number) => Promise<Listener>;

export interface TransportOptions {
  readonly certificate: CertificateFiles | undefined;
  readonly connectionsMax: number;
  readonly metrics: SecurityMetrics;
  readonly log: Log;
  readonly lookMs?: number;
}

/** Plain HTTP, TLS, or TLS that asks clients for a certificate. Connections beyond the bound are closed as they open. */
export function createListen({ certificate, connectionsMax, metrics, log, lookMs }: TransportOptions): Listen {
  let connections = 0;
  metrics.connections(() => connections);
  const bounded = (app: TemplatedApp): TemplatedApp => {
    // Called at each opening (1) and closing (-1) of a connection.
    app.filter((res, change) => {
      connections += Number(change);
      if (Number(change) === 1 && connections > connectionsMax) {
        metrics.refused('connections');
        res.close();
      }
    });
    return app;
  };

  if (certificate === undefined) return listenPlain(() => bounded(uws.App()));
  if (certificate.clientCa !== undefined) return async (mount, host, port) => {
    const app = bounded(uws.App());
    mount(app);
    return startClientCertificateFront({ app, certificate, connectionsMax, metrics, log, ...(lookMs === undefined ? {} : { lookMs }) }, host, port);
  };
  return listenTls({ certificate, metrics, log, app: (files) => bounded(uws.SSLApp(files)), ...(lookMs === undefined ? {} : { lookMs }) });
}

/** Alone on the port: another process that listens there as well would take a share of the clients unnoticed. */
const EXCLUSIVE = 1;
/** Together with listeners of the same user, which the listeners of one process are among. */
const SHARED = 0;

export const listenPlain = (createApp: () => TemplatedApp = uws.App): Listen => async (mount, host, port) => {
  const app = createApp();
  mount(app);
  const socket = await listenOn(app, host, port, EXCLUSIVE);
  return {
    port: uws.us_socket_local_port(socket),
    unlisten: () => closeListening(socket),
    stop: () => { app.close(); return Promise.resolve(); },
  };
};

interface TlsOptions {
  readonly certificate: CertificateFiles;
  readonly metrics: SecurityMetrics;
  readonly log: Log;
  readonly lookMs?: number;
  app(files: AppOptions): TemplatedApp;
}

/**
 * An app keeps the certificate that it was made with. So a new certificate gets a new app that listens on the same port, and only then
 * the old one stops listening: its connections go on until they end. A certificate that cannot be used is told of, and changes nothing.
 */
function listenTls({ certificate, metrics, log, app: createApp, lookMs }: TlsOptions): Listen {
  return async (mount, host, wanted) => {
    const port = wanted === 0 ? await freePort(host) : wanted;
    if (!(await isPortFree(port, host))) throw portTaken(host, port);
    const apps: TemplatedApp[] = [];
    let listening: us_listen_socket | undefined;
    const open = async (): Promise<void> => {
      const { subject, expiresAtMs } = await readCertificate(certificate);
      const app = createApp({ cert_file_name: certificate.cert, key_file_name: certificate.key });
      mount(app);
      const socket = await listenOn(app, host, port, SHARED);
      apps.push(app);
      if (listening !== undefined) uws.us_listen_socket_close(listening);
      listening = socket;
      metrics.certificate(expiresAtMs);
      log.info('certificate_loaded', { subject, expires: new Date(expiresAtMs).toISOString() });
    };
    const watch = await watchFiles([certificate.cert, certificate.key], () => open().catch((error: unknown) => log.error('certificate_not_loaded', error)), lookMs);
    await open().catch(async (error: unknown) => { await watch.stop(); throw error; });
    return {
      port,
      async unlisten() {
        await watch.stop();
        if (listening !== undefined) await closeListening(listening);
      },
      async stop() {
        await watch.stop();
        for (const app of apps) app.close();
      },
    };
  };
}

/** Right after connections were taken: the system cuts those that still wait to be. */
async function closeListening(socket: us_listen_socket): Promise<void> {
  await nextTurn();
  uws.us_listen_socket_close(socket);
}

function listenOn(app: TemplatedApp, host: string, port: number, options: number): Promise<us_listen_socket> {
  return new Promise((resolve, reject) => {
    // It takes all four, though its types do not say so.
    const listen = app.listen as unknown as (host: string, port: number, options: number, listening: (socket: us_listen_socket | false) => void) => void;
    listen.call(app, host, port, options, (socket) => (socket === false ? reject(portTaken(host, port)) : resolve(socket)));
  });
}

const portTaken = (host: string, port: number): TidemarkError =>
  new TidemarkError('PORT_TAKEN', `the scorer cannot listen on ${host}:${port}: another process has the port, or the address is not this machine’s; set SCORER_PORT or SCORER_HOST`);
