import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../../runtime/paths.js';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const { packages } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };

/** Where Node.js would find a package from another one's folder. */
function find(from: string, name: string): Locked | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const found = packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`];
    if (found !== undefined || folder === '') return found;
  }
}

t.test('the lock file has the packages of every platform: npm ci refuses one that was written where a registry lacks some', (t) => {
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages))
    for (const name of Object.keys(optionalDependencies)) t.ok(find(path, name), `${name} of ${path}`);
  t.end();
});

t.test('the lock file names no registry', (t) => {
  t.same(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path), []);
  t.end();
});
