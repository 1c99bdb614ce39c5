import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { PROJECT_ROOT } from '../runtime/paths.js';
import { leftBehind } from './support/left-behind.js';
import { failedPoints, readTap, type TapResult } from './support/tap-result.js';

/**
 * Runs every test file, each in a process of its own, as many at a time as there are cores, at most two: those that start real parts
 * wait for them more than they compute, and have ports and folders of their own.
 * A file that leaves a process or temporary files behind has failed.
 * Arguments are pieces of paths: only files that contain one of them run. The last line is `N passed, N failed`.
 */
const FOLDERS = ['unit', 'contract', 'integration', 'regression'];
const AT_A_TIME = Math.min(2, availableParallelism());
/** Far beyond what a file takes, on a machine of half the speed too: they end what hangs, and never what is slow. */
const FILE_DEADLINE_MS = 900_000;
const TEST_DEADLINE_S = 800;
/** It takes a third of the whole, so it begins first, beside the many short ones. */
const LONGEST = 'loop.test.ts';

interface FileResult extends TapResult {
  readonly output: string;
}

const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
/** The files under way, by their temporary folder. */
const running = new Map<string, ChildProcess>();
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void giveUp());

const wanted = process.argv.slice(2);
const filesUnder = (folder: string): string[] =>
  readdirSync(join(PROJECT_ROOT, 'test', folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', folder, name))
    .filter((name) => name.endsWith('.test.ts') && (wanted.length === 0 || wanted.some((piece) => name.includes(piece))))
    .sort();

const files = FOLDERS.flatMap((folder) => filesUnder(folder));
const isLongest = (file: string): boolean => basename(file) === LONGEST;
if (wanted.length === 0) await requireMachine();
await runAll([...files.filter(isLongest), ...files.filter((file) => !isLongest(file))], AT_A_TIME);

if (failures.length > 0) console.log(`\nfailed:\n${failures.join('\n')}`);
if (total.passed + total.failed === 0) console.log('no test file matches');
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

/** What the whole of it needs is said once, before anything starts. */
async function requireMachine(): Promise<void> {
  const [{ MACHINE_CHECKS, requireHealthy }, { messageOf }, { loadSettings }] = await Promise.all([import('../deploy/doctor/main.js'), import('../runtime/errors.js'), import('../runtime/settings.js')]);
  const { JARS_DIR } = process.env;
  await requireHealthy(loadSettings(JARS_DIR === undefined ? {} : { JARS_DIR }), MACHINE_CHECKS).catch((error: unknown) => {
    console.error(messageOf(error));
    process.exit(1);
  });
}

async function runAll(files: readonly string[], parallel: number): Promise<void> {
  const waiting = [...files];
  await Promise.all(Array.from({ length: parallel }, async () => {
    for (let file = waiting.shift(); file !== undefined && !stopping; file = waiting.shift()) {
      const started = Date.now();
      report(file, await runFile(file), Date.now() - started);
    }
  }));
}

async function runFile(file: string): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-run-'));
  const { code, signal, tap, all } = await runProcess(join(PROJECT_ROOT, 'dist', file.replace(/\.ts$/, '.js')), folder);
  const left = await leftBehind(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  const result = readTap(tap);
  const problems = left.map((what) => `${file} left behind: ${what}`);
  if (code !== 0 && result.failed === 0) problems.push(`${file} ended with ${signal === null ? `exit code ${code}` : `signal ${signal}`}`);
  return { ...result, failed: result.failed + problems.length, output: [all, ...problems].join('\n') };
}

/** One test file to its end; its temporary files go to a folder of its own. */
function runProcess(compiled: string, folder: string): Promise<{ code: number | null; signal: string | null; tap: string; all: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', compiled], {
      cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: folder, TAP: '1', TAP_TIMEOUT: String(TEST_DEADLINE_S) },
    });
    running.set(folder, child);
    let tap = '';
    let all = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => { tap += piece; all += piece; });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => { all += piece; });
    const deadline = setTimeout(() => child.kill('SIGKILL'), FILE_DEADLINE_MS);
    // A process that lives on may hold the pipes open: the end is the file's own, with a moment for its last words.
    child.on('exit', () => setTimeout(() => { child.stdout.destroy(); child.stderr.destroy(); }, 2_000).unref());
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      running.delete(folder);
      resolve({ code, signal, tap, all });
    });
  });
}

/** A run that is told to stop takes what it started with it. */
async function giveUp(): Promise<never> {
  stopping = true;
  await Promise.all([...running].map(async ([folder, child]) => {
    child.kill('SIGKILL');
    await leftBehind(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }));
  process.exit(130);
}

function report(file: string, result: FileResult, tookMs: number): void {
  total.passed += result.passed;
  total.failed += result.failed;
  total.skipped += result.skipped.length;
  const name = relative('test', file);
  console.log(`${result.failed > 0 ? 'FAIL' : 'ok  '} ${name}  ${result.passed} passed${result.failed > 0 ? `, ${result.failed} failed` : ''}  ${(tookMs / 1000).toFixed(1)} s`);
  for (const skipped of result.skipped) console.log(`     skipped: ${skipped}`);
  if (result.failed > 0) {
    failures.push([`  ${name}`, ...failedPoints(result.output).map((line) => `    ${line}`)].join('\n'));
    console.log(result.output);
  }
}
