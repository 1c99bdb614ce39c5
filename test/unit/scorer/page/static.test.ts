import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import typescript from 'typescript';
import { PROJECT_ROOT } from '../../../../runtime/paths.js';
import { readStaticFiles } from '../../../../scorer/page/static-files.js';

const folder = join(PROJECT_ROOT, 'scorer', 'page', 'static');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const sources = readdirSync(folder).filter((name) => name.endsWith('.js'));

t.test('the files of the page pass the compiler', async (t) => {
  const config = typescript.getParsedCommandLineOfConfigFile(join(folder, 'tsconfig.json'), {}, { ...typescript.sys, onUnRecoverableConfigFileDiagnostic: (problem) => t.fail(String(problem.messageText)) })!;
  const program = typescript.createProgram(config.fileNames, config.options);
  t.same(typescript.getPreEmitDiagnostics(program).map(({ file, start, messageText }) =>
    `${file?.fileName ?? ''}:${file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1} ${typescript.flattenDiagnosticMessageText(messageText, ' ')}`), []);
  t.same(sources.filter((name) => !read(name).startsWith('// @ts-check\n')), []);
});

t.test('it is small, and whole: what one file names is there', async (t) => {
  const files = readStaticFiles();
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes.length, 0);
  t.ok(bytes < 110_000, `${bytes} bytes`);
  const named = [...read('index.html').matchAll(/\/page\/static\/([\w.-]+)/g), ...sources.flatMap((name) => [...read(name).matchAll(/from '\.\/([\w.-]+)'/g)])].map(([, name]) => name!);
  t.ok(named.length > 20);
  t.same(named.filter((name) => !files.has(name)), []);
});

t.test('it stays within its content security policy and asks nobody else', async (t) => {
  const html = read('index.html');
  t.notMatch(html, /<style|<script(?![^>]*\bsrc=)| style=| on\w+=/);
  for (const name of [...sources, 'base.css', 'panels.css', 'index.html']) {
    const text = read(name);
    t.same([...text.matchAll(/https?:\/\/[^'")\s]+/g)].map(([url]) => url).filter((url) => url !== 'http://www.w3.org/2000/svg'), [], name);
    t.notMatch(text, /@import|@font-face|\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bstyle: '/, name);
  }
});
