#!/usr/bin/env node
// Checks what must hold before any other file can be loaded, builds when the sources are newer than dist/, and hands over.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 15) || major >= 25)
  stop(`Node.js is ${process.versions.node}; expected 20.15 or newer and below 25: install Node.js 20 or 22 (nodejs.org, or nvm install 22)`);
if (!existsSync(join(root, 'node_modules', 'zod')))
  stop(`the dependencies are not installed: run npm ci in ${root}`);
buildIfNeeded();

const { main } = await import(pathToFileURL(join(root, 'dist', 'deploy', 'cli', 'main.js')).href);
await main(process.argv.slice(2));

function buildIfNeeded() {
  const stamp = join(root, 'dist', '.built');
  const folders = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).include.map((pattern) => pattern.split('/')[0]);
  const sources = Math.max(...['tsconfig.json', 'package-lock.json'].map((file) => modified(join(root, file))), ...folders.map((folder) => newest(join(root, folder))));
  if (existsSync(join(root, 'dist', 'deploy', 'cli', 'main.js')) && modified(stamp) >= sources) return;
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) stop(`dist/ is missing or older than the sources and TypeScript is not installed: run npm ci in ${root}`);
  process.stderr.write('building…\n');
  const built = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.json')], { stdio: ['ignore', 2, 2] });
  if (built.status !== 0) stop('the build failed; what the compiler said stands above');
  writeFileSync(stamp, '');
}

/** The time of the newest TypeScript file of a folder; a deleted file shows in its folder's time. */
function newest(folder) {
  let time = modified(folder);
  if (time === 0) return 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) time = Math.max(time, newest(path));
    else if (entry.name.endsWith('.ts')) time = Math.max(time, modified(path));
  }
  return time;
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function stop(reason) {
  process.stderr.write(`tidemark: ${reason}\n`);
  process.exit(1);
}
