import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  /** The authority's certificate; PEM files all. */
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** Key and certificate of the server in one file, as Kafka's PEM keystore wants them. */
  readonly serverStore: string;
  /** Another authority, which has signed none of these. */
  readonly strangerCa: string;
}

/** An authority, and certificates of it for a server on 127.0.0.1 and for a client, made by openssl in a folder. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: 'pipe' });
  const authority = (name: string): void => {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
  };
  const signed = (name: string, extension: string): void => {
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
    writeFileSync(at(`${name}.ext`), extension);
    openssl('x509', '-req', '-days', '2', '-in', at(`${name}.csr`), '-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial', '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`));
  };
  authority('authority');
  authority('stranger');
  signed('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  signed('client', 'extendedKeyUsage=clientAuth\n');
  const serverStore = at('server-store.pem');
  execFileSync('sh', ['-c', `cat "${at('server.key')}" "${at('server.pem')}" "${at('authority.pem')}" > "${serverStore}"`]);
  return {
    ca: at('authority.pem'), serverCert: at('server.pem'), serverKey: at('server.key'), clientCert: at('client.pem'), clientKey: at('client.key'),
    serverStore, strangerCa: at('stranger.pem'),
  };
}
