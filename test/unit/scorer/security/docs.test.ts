import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../../../../runtime/paths.js';
import { ROLES, type Role } from '../../../../scorer/security/core/roles.js';
import { startTestScorer } from '../../../support/scorer.js';

const BEGIN = '<!-- roles -->\n';
const END = '<!-- /roles -->';

t.test('docs/security.md has the routes by role, as they are declared: TIDEMARK_UPDATE_DOCS=1 writes them', async (t) => {
  const { url } = await startTestScorer(t);
  const { routes } = (await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as { routes: { method: string; path: string; role: Role }[] };
  t.ok(routes.every(({ role }) => ROLES.includes(role)));
  const rows = ROLES.map((role) => `| ${role} | ${routes.filter((route) => route.role === role).map(({ method, path }) => `\`${method} ${path}\``).join(', ')} |\n`);
  const table = `| role | routes |\n|---|---|\n${rows.join('')}`;
  const file = join(PROJECT_ROOT, 'docs', 'security.md');
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  if (process.env['TIDEMARK_UPDATE_DOCS'] === '1') writeFileSync(file, text.slice(0, from) + table + text.slice(to));
  t.equal(readFileSync(file, 'utf8').slice(from).split(END)[0], table);
});
