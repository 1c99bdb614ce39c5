import { connect, createServer } from 'node:net';
import { TidemarkError } from './errors.js';

export const LOOPBACK = '127.0.0.1';

/**
 * Ports are taken from below those that systems give to outgoing connections (Linux from 32768, others from 49152): a part
 * that ends and starts again would else find its port in use by whoever has connected to something meanwhile.
 */
const LOWEST = 12_000;
const HIGHEST = 32_000;
const TRIES_MAX = 200;

/** A port that nothing listens on at this moment, chosen at random. @throws TidemarkError PORT_TAKEN when none was found */
export async function freePort(host: string = LOOPBACK): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isPortFree(port, host)) return port;
  }
  throw new TidemarkError('PORT_TAKEN', `${TRIES_MAX} ports of ${host} between ${LOWEST} and ${HIGHEST} are taken; is the address one of this machine?`);
}

/** Whether this process could listen there now. */
export function isPortFree(port: number, host: string = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Whether somebody listens there now. It takes nothing: who waits for a program's port by trying to listen there may hold it when the program wants it. */
export function isListening(port: number, host: string = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host }, () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}
