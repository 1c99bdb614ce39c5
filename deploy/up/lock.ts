import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { TidemarkError } from '../../runtime/errors.js';
import { isAlive } from '../endpoints.js';

/**
 * Takes the data folder for this process, so that two systems never write to one; a lock whose process has ended is taken over.
 * @returns what gives it back, and whether the one before was killed
 * @throws TidemarkError REQUIREMENT_MISSING when another system runs on it
 */
export function lockDataFolder(dataDir: string): { release(): void; readonly afterKill: boolean } {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'up.lock');
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = openSync(file, 'wx');
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return { release: () => rmSync(file, { force: true }), afterKill: attempt > 0 };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new TidemarkError('REQUIREMENT_MISSING', `DATA_DIR: cannot write ${file}; set DATA_DIR to a folder you may write`, { cause: error });
    }
    const holder = holderOf(file);
    if (attempt > 0 || (holder !== undefined && holder !== process.pid && isAlive(holder)))
      throw new TidemarkError('REQUIREMENT_MISSING', `DATA_DIR: ${dataDir} is in use by tidemark up, process ${holder ?? 'unknown'}; stop that one, or set DATA_DIR to another folder`);
    rmSync(file, { force: true });
  }
}

function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
