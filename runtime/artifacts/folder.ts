import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, TidemarkError } from '../errors.js';
import type { ArtifactStore } from './store.js';

/** Objects as files: written beside their place, made durable, then renamed into it. */
export function createFolderStore(folder: string): ArtifactStore {
  const guarded = async <T>(key: string, work: (path: string) => Promise<T>): Promise<T> => {
    const path = join(folder, key);
    try {
      return await work(path);
    } catch (cause) {
      throw new TidemarkError('ARTIFACTS_UNREACHABLE', `artifacts: ${path}: ${messageOf(cause)}; check that DATA_DIR or ARTIFACTS_URL may be written and has room`, { cause });
    }
  };
  return {
    place: folder,
    has: (key) => access(join(folder, key), constants.R_OK).then(() => true, () => false),
    put: (key, content) => guarded(key, async (path) => {
      await mkdir(dirname(path), { recursive: true });
      const beside = `${path}.${randomBytes(6).toString('hex')}.part`;
      try {
        if ('file' in content) await copyFile(content.file, beside);
        const handle = await open(beside, 'file' in content ? 'r+' : 'w', 0o644);
        try {
          if ('bytes' in content) await handle.writeFile(content.bytes);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(beside, path);
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
    }),
    get: (key) => guarded(key, (path) => readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    })),
  };
}
