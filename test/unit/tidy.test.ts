import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import typescript from 'typescript';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { ERROR_CODES } from '../../runtime/errors.js';

/** The house rules that no compiler holds: who imports whom, how long a file is, what stands where, what no file says. */
const LINES_MAX = 300;
const MAIN_LINES_MAX = 120;
/** Written by ClickHouse. */
const SCHEMA_SNAPSHOT = 'clickhouse/schema.sql';
const TOP_LEVEL = new Set([
  'README.md', 'LICENSE', 'package.json', 'package-lock.json', 'tsconfig.json',
  'schemas', 'runtime', 'stream-processors', 'scorer', 'trainer', 'clickhouse', 'deploy', 'docs', 'test',
  '.ci', '.env.example', '.gitignore', '.npmrc',
]);
/** What each area may import beside itself. Services meet in schemas/ and share runtime/. */
const SERVICES = ['stream-processors/features', 'stream-processors/landing', 'stream-processors/sources', 'stream-processors/drift', 'scorer', 'trainer'];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  runtime: ['schemas'],
  clickhouse: ['schemas', 'runtime'],
  ...Object.fromEntries(SERVICES.map((service) => [service, ['schemas', 'runtime', 'clickhouse']])),
  deploy: ['schemas', 'runtime', 'clickhouse', ...SERVICES],
};
/** Packages that one module is the edge of. */
const PACKAGE_HOME: Readonly<Record<string, string>> = { kafkajs: 'runtime/kafka/', '@confluentinc/schemaregistry': 'runtime/registry/', chdb: 'runtime/embedded/clickhouse/', 'onnxruntime-node': 'runtime/onnxruntime.ts' };

function tracked(): string[] | undefined {
  try {
    return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: PROJECT_ROOT, encoding: 'utf8' })
      .split('\n').filter((file) => file !== '' && existsSync(join(PROJECT_ROOT, file)));
  } catch {
    return undefined;
  }
}

interface Import { readonly from: string; readonly to: string; readonly relative: boolean }

const files = tracked() ?? [];
const read = (file: string): string => readFileSync(join(PROJECT_ROOT, file), 'utf8');
const sources = files.filter((file) => file.endsWith('.ts'));
const texts = files.filter((file) => /\.(ts|mjs|js|html|css|md|sql|json|xml|java|py|yml|yaml)$|^\.ci\/|^\.[a-z.]+$/.test(file) && file !== 'package-lock.json');
const imports: Import[] = sources.flatMap((from) =>
  typescript.preProcessFile(read(from), true, true).importedFiles.map(({ fileName: name }) => {
    const relative = name.startsWith('.');
    return { from, relative, to: relative ? normalize(join(dirname(from), name)) : name };
  }));

/** Without README's table of settings, which a command writes. */
const ownLines = (file: string): number => read(file).split('\n').filter((line) => file !== 'README.md' || !/^\| `[A-Z_]+` \|/.test(line)).length - 1;

/** The part of the house that a file belongs to. */
const areaOf = (file: string): string => file.split('/').slice(0, file.startsWith('stream-processors/') ? 2 : 1).join('/');

t.test('the house', { skip: files.length === 0 && 'this is no git work tree' }, async (t) => {
  t.ok(imports.length > 500, `${imports.length} imports`);

  t.test('an area imports only what stands below it', async (t) => {
    const wrong = imports.filter(({ from, to, relative }) => {
      const area = areaOf(from);
      return relative && area !== 'test' && area !== areaOf(to) && !(MAY_IMPORT[area] ?? []).includes(areaOf(to));
    });
    t.same(wrong, []);
  });

  t.test('core/ is pure: schemas/ and its own folder, no packages, no clock, no randomness', async (t) => {
    const cores = sources.filter((file) => /(^|\/)core\//.test(file) && !file.startsWith('test/'));
    t.ok(cores.length > 20);
    const home = (file: string): string => file.slice(0, file.lastIndexOf('/core/') + '/core/'.length);
    t.same(imports.filter(({ from, to, relative }) => cores.includes(from) && !(relative && (to.startsWith('schemas/') || to.startsWith(home(from))))), []);
    t.same(cores.filter((file) => /\bDate\.now\(|\bnew Date\(\)|Math\.random\(|\bperformance\.now\(|\bprocess\./.test(read(file))), []);
  });

  t.test('schemas/ reaches no file, clock or network', async (t) => {
    t.same(imports.filter(({ from, to, relative }) => from.startsWith('schemas/') && !relative && to !== 'zod'), []);
  });

  t.test('a package with an edge is imported there alone', async (t) => {
    const wrong = imports.filter(({ from, to, relative }) => {
      const name = to.split('/').slice(0, to.startsWith('@') ? 2 : 1).join('/');
      const edge = PACKAGE_HOME[name];
      return !relative && edge !== undefined && !from.startsWith(edge) && !from.startsWith('test/') && !from.startsWith('deploy/doctor/');
    });
    t.same(wrong, []);
  });

  t.test(`files have at most ${LINES_MAX} lines and stand where their kind stands`, async (t) => {
    t.same(files.filter((file) => /\.(ts|mjs|js|html|css|md|sql|java|py)$/.test(file) && file !== SCHEMA_SNAPSHOT && ownLines(file) > LINES_MAX), []);
    t.same([...new Set(files.map((file) => file.split('/')[0]!))].filter((name) => !TOP_LEVEL.has(name)), []);
    const mirrored = files.filter((file) => file.startsWith('test/unit/') && file.split('/').length > 3).map((file) => dirname(file).slice('test/unit/'.length));
    t.same([...new Set(mirrored)].filter((folder) => !existsSync(join(PROJECT_ROOT, folder))), [], 'test/unit mirrors the source');
    t.same(files.filter((file) => /(^|\/)main\.ts$/.test(file) && read(file).split('\n').length > MAIN_LINES_MAX), [], 'main.ts wires');
  });

  t.test('no file leaves work for later, knows a machine or holds a secret', async (t) => {
    const never: readonly (readonly [string, RegExp])[] = [
      ['work left', /\b(?:TODO|FIXME|XXX)\b(?:[:( ]|$)/m],
      ['a path of one machine', /(?<![\w.{}$-])\/(?:work|root|home\/\w+|Users\/\w+)\//],
      ['the host of a registry', /\b(?:registry\.npmjs\.org|repo1?\.maven\.(?:org|apache\.org)|pypi\.org|files\.pythonhosted\.org)\b/],
      ['a private key', /BEGIN (?:RSA |EC )?PRIVATE KEY/],
      ['a test that runs alone', /\bt\.only\(|\{ only: true/],
    ];
    const own = 'test/unit/tidy.test.ts';
    t.same(texts.filter((file) => file !== own).flatMap((file) => never.filter(([, pattern]) => pattern.test(read(file))).map(([what]) => `${file}: ${what}`)), []);
  });

  t.test('every error code is thrown somewhere and explained in docs/error-codes.md, and no other is', async (t) => {
    const code = sources.filter((file) => !file.startsWith('test/') && file !== 'runtime/errors.ts').map(read).join('\n');
    t.same(ERROR_CODES.filter((name) => !code.includes(`'${name}'`)), []);
    const explained = [...read('docs/error-codes.md').matchAll(/^(?:#{2,4} |\| |- )`?([A-Z][A-Z_]+)`?/gm)].map(([, name]) => name!);
    t.same([...new Set(explained)].sort(), [...ERROR_CODES].sort());
  });

  t.test('what a page or a comment points to is there', async (t) => {
    const broken = texts.flatMap((file) => {
      const text = read(file);
      const links = file.endsWith('.md') ? [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, to]) => normalize(join(dirname(file), to!))) : [];
      const mentions = [...text.matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md/g)].map(([to]) => to);
      return [...links, ...mentions].filter((to) => !existsSync(join(PROJECT_ROOT, to))).map((to) => `${file}: ${to}`);
    });
    t.same(broken, []);
  });

  t.test('.ci/run ends with the test command of README.md', async (t) => {
    t.same(read('.ci/run').trim().split('\n').slice(-2), ['npm ci', 'npm test']);
    t.match(read('README.md'), /npm ci && npm test|npm test/);
  });
});
