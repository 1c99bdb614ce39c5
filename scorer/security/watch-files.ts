import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 1000;

/**
 * Looks once a second whether files have changed since this returned, and tells it after the change has stood for a look: of two files that belong
 * together both are written by then. Looking by name sees renames and symbolic links that are turned to another file, as
 * Kubernetes does it, and works on every file system.
 */
export async function watchFiles(files: readonly string[], changed: () => Promise<void>, lookMs = LOOK_MS): Promise<{ stop(): Promise<void> }> {
  const ending = new AbortController();
  let told = await marksOf(files);
  const following = (async () => {
    let before = told;
    while (!ending.signal.aborted) {
      await sleep(lookMs, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      const now = await marksOf(files);
      if (now !== told && now === before) {
        told = now;
        await changed();
      }
      before = now;
    }
  })();
  return { async stop() { ending.abort(); await following; } };
}

async function marksOf(files: readonly string[]): Promise<string> {
  const marks = await Promise.all(files.map((file) => stat(file, { bigint: true }).then(({ ino, size, mtimeNs }) => `${ino}-${size}-${mtimeNs}`, () => 'absent')));
  return marks.join(' ');
}
