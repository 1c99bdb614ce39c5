import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../settings.js';

/**
 * A name for this process in its group: the same when it is started again on its data folder, of which it has a part of its own
 * by INSTANCE, and no one else's. A folder that was copied to another host gets a new one there.
 */
export function processIdentity(settings: Settings, groupId: string): string {
  const folder = join(settings.DATA_DIR, 'members');
  const file = join(folder, `${groupId}.${settings.INSTANCE}.identity`);
  try {
    const [host, identity] = readFileSync(file, 'utf8').trim().split(' ');
    if (host === hostname() && identity !== undefined) return identity;
  } catch {
    // the first start here
  }
  const identity = randomUUID();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${hostname()} ${identity}\n`);
  return identity;
}
