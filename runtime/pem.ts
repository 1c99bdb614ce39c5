import { readFileSync } from 'node:fs';
import { messageOf, TidemarkError } from './errors.js';

/**
 * A certificate or key in PEM that a setting names.
 * @throws TidemarkError CONFIG_INVALID when it cannot be read or is no PEM
 */
export function readPem(setting: string, file: string): Buffer {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (cause) {
    throw new TidemarkError('CONFIG_INVALID', `${setting}: cannot read ${file} (${messageOf(cause)})`, { cause });
  }
  if (!pem.includes('-----BEGIN ')) throw new TidemarkError('CONFIG_INVALID', `${setting}: ${file} holds no PEM: expected text with -----BEGIN …-----`);
  return pem;
}
