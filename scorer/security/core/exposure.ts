import { normalAddress } from './address.js';

export interface Listening {
  readonly host: string;
  readonly tls: boolean;
  readonly keys: boolean;
  readonly insecureAllowed: boolean;
}

/** Whether only this machine can reach a listener on a host. A name may point anywhere, so of names only `localhost` does. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const address = normalAddress(host);
  return address !== undefined && (address.startsWith('127.') || address === '0:0:0:0:0:0:0:1');
}

/** Why a scorer must not listen like this, and what to do; undefined where it may. */
export function exposureProblem({ host, tls, keys, insecureAllowed }: Listening): string | undefined {
  if (isLoopback(host) || insecureAllowed || (tls && keys)) return undefined;
  const missing = [...(keys ? [] : ['keys (tidemark keys create NAME --role admin)']), ...(tls ? [] : ['TLS (SCORER_TLS_CERT_FILE and SCORER_TLS_KEY_FILE)'])];
  return `SCORER_HOST is ${JSON.stringify(host)}, which others can reach, without ${missing.join(' and without ')}: set them up, ` +
    'listen on 127.0.0.1, or say that something in front sees to it with SCORER_ALLOW_INSECURE=true';
}
