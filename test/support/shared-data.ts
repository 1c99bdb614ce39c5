import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT_ROOT } from '../../runtime/paths.js';

/**
 * A folder of the reference data that may stand in `shared/data` beside the project or above it; undefined where it is
 * not. Tests that use it skip aloud without it.
 */
export function sharedData(name: string): string | undefined {
  for (let folder = PROJECT_ROOT; folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, 'shared', 'data', name);
    if (existsSync(found)) return found;
  }
  return undefined;
}
