import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { COMMANDS } from '../../../deploy/cli/commands.js';
import { ERROR_CODES } from '../../../runtime/errors.js';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { settingsTable } from '../../../runtime/settings-docs.js';

const read = (...path: string[]): string => readFileSync(join(PROJECT_ROOT, ...path), 'utf8');
const readme = read('README.md');

t.test('README has the settings as they are declared: paste the output of tidemark settings --markdown', async (t) => {
  t.ok(readme.includes(settingsTable()));
});

t.test('README has every command with its summary, in the order of the help', async (t) => {
  const rows = [...readme.matchAll(/^\| `tidemark ([a-z-]+)` \| (.*) \|$/gm)].map(([, name, summary]) => [name, summary]);
  t.same(rows, COMMANDS.map(({ name, summary }) => [name, summary]));
});

t.test('docs/error-codes.md explains every code, in the order of the list, and no other', async (t) => {
  t.same([...read('docs', 'error-codes.md').matchAll(/^## (.+)$/gm)].map(([, code]) => code), [...ERROR_CODES]);
});

t.test('every link between documents and every picture leads somewhere', async (t) => {
  const documents = ['README.md', ...readdirSync(join(PROJECT_ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))];
  for (const document of documents)
    for (const [, target] of read(document).matchAll(/(?:\]\(|src(?:set)?=")(?!https?:|#)([^)#"]+)/g))
      t.ok(existsSync(join(PROJECT_ROOT, dirname(document), target!)), `${document} → ${target}`);
});

t.test('docs/operations.md names every metric, and no other', async (t) => {
  const documented = new Set([...read('docs', 'operations.md').matchAll(/`(tidemark_[a-z_]+)/g)].map(([, name]) => name));
  const sources = ['stream-processors/features/metrics.ts', 'stream-processors/landing/metrics.ts', 'stream-processors/drift/metrics.ts', 'scorer/observe/metrics.ts', 'scorer/observe/live-metrics.ts', 'scorer/observe/page-metrics.ts', 'scorer/security/metrics.ts', 'trainer/service/metrics.ts', 'trainer/run/metrics.ts', 'trainer/rollout/main.ts'].map((file) => read(file)).join('\n');
  const declared = new Set([...sources.matchAll(/'(tidemark_(?:features|landing|drift|scorer|trainer|rollout)_[a-z_]+)'/g)].map(([, name]) => name));
  t.same([...documented].sort(), [...declared].sort());
});
