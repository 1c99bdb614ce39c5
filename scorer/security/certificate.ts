import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { messageOf, TidemarkError } from '../../runtime/errors.js';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Authorities whose certificates clients must show; undefined: none is asked for. */
  readonly clientCa: string | undefined;
}

export interface Certificate {
  readonly subject: string;
  readonly expiresAtMs: number;
  /** What Node's TLS is made of. */
  readonly pem: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer; readonly minVersion: 'TLSv1.2' };
}

/** Reads certificate and key, and holds them against each other. @throws TidemarkError CONFIG_INVALID saying which file is wrong, and how */
export async function readCertificate({ cert, key, clientCa }: CertificateFiles): Promise<Certificate> {
  const certPem = await read('SCORER_TLS_CERT_FILE', cert);
  const keyPem = await read('SCORER_TLS_KEY_FILE', key);
  const ca = clientCa === undefined ? undefined : await read('SCORER_TLS_CLIENT_CA_FILE', clientCa);
  const certificate = attempt('SCORER_TLS_CERT_FILE', cert, () => new X509Certificate(certPem));
  const privateKey = attempt('SCORER_TLS_KEY_FILE', key, () => createPrivateKey(keyPem));
  if (!certificate.checkPrivateKey(privateKey)) throw new TidemarkError('CONFIG_INVALID', `SCORER_TLS_KEY_FILE: ${key} is not the key of the certificate in ${cert}`);
  if (ca !== undefined) attempt('SCORER_TLS_CLIENT_CA_FILE', clientCa!, () => new X509Certificate(ca));
  const pem = { cert: certPem, key: keyPem, minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) };
  attempt('SCORER_TLS_CERT_FILE', cert, () => createSecureContext(pem));
  return { subject: certificate.subject.replaceAll('\n', ', '), expiresAtMs: Date.parse(certificate.validTo), pem };
}

function attempt<T>(setting: string, file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new TidemarkError('CONFIG_INVALID', `${setting}: ${file} cannot be used (${messageOf(cause)}): expected PEM`, { cause });
  }
}

const read = (setting: string, file: string): Promise<Buffer> => readFile(file).catch((cause: unknown) => {
  throw new TidemarkError('CONFIG_INVALID', `${setting}: cannot read ${file} (${messageOf(cause)})`, { cause });
});
