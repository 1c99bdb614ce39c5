import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { PROJECT_ROOT } from '../../runtime/paths.js';

/** Holds a file of the source tree equal to what generates it; UPDATE_GENERATED=1 writes it. */
export function holdGenerated(t: Test, path: string, content: string): void {
  const file = join(PROJECT_ROOT, path);
  if (process.env['UPDATE_GENERATED'] === '1') writeFileSync(file, content);
  t.equal(readFileSync(file, 'utf8'), content, `${path} is what its generator gives (UPDATE_GENERATED=1 writes it)`);
}
