import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { tidemark } from '../../../support/command.js';

const dataUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

/** Makes a package fail where its binary is loaded, as on a machine for which it was not made. */
function without(name: string): { NODE_OPTIONS: string } {
  const hook = dataUrl(`export const resolve = (wanted, context, next) => { if (wanted === ${JSON.stringify(name)}) throw new Error('not for this machine\\nmore'); return next(wanted, context); };`);
  return { NODE_OPTIONS: `--import=${dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(hook)});`)}` };
}

const folder = mkdtempSync(join(tmpdir(), 'tidemark-binaries-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

for (const name of ['uWebSockets.js', 'lmdb', 'koffi'])
  t.test(`tidemark up without ${name}: which it is and what helps, before anything starts`, async (t) => {
    const { code, stdout, stderr } = await tidemark(folder, without(name), 'up', '--auto-ports');
    t.equal(code, 1);
    t.match(stderr + stdout, new RegExp(`FAIL +${name.replace('.', '\\.')} .*not for this machine\n +→ .`));
    t.notMatch(stderr + stdout, /\n {4}at /, 'no stack');
  });

t.test('a service that does not load says so in one line, and where to look', async (t) => {
  const { code, stdout } = await tidemark(folder, without('uWebSockets.js'), 'scorer');
  t.equal(code, 1);
  const failed = JSON.parse(stdout.split('\n')[0] ?? '') as Record<string, unknown>;
  t.match(failed, { event: 'failed', code: 'REQUIREMENT_MISSING', message: 'the scorer does not load: not for this machine; tidemark doctor says what is missing' });
});
