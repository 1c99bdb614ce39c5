import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROJECT_ROOT } from '../../runtime/paths.js';

export interface StaticFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
}

const FOLDER = join(PROJECT_ROOT, 'scorer', 'page', 'static');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml',
};
/** The client of live scores, which is part of the package, as the build made it. */
const LIVE_CLIENT = fileURLToPath(new URL('../live/client.js', import.meta.url));

/** Everything that the page consists of, in memory; less than 100 kB. */
export function readStaticFiles(): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  const add = (name: string, path: string): void => {
    const type = TYPES[extname(name)];
    if (type === undefined) return;
    const bytes = readFileSync(path);
    files.set(name, { bytes, type, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` });
  };
  for (const name of readdirSync(FOLDER)) add(name, join(FOLDER, name));
  add('client.js', LIVE_CLIENT);
  return files;
}
