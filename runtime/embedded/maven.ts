import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { TidemarkError } from '../errors.js';
import { PROJECT_ROOT } from '../paths.js';
import { requireMaven } from './java.js';

export const POM_FILE = join(PROJECT_ROOT, 'deploy', 'embedded', 'pom.xml');

/** What the pom fetches: its profile, the Maven goal that lays it out, its name for people. */
const PARTS = {
  kafka: { goal: 'dependency:copy-dependencies', title: 'Kafka' },
  registry: { goal: 'dependency:unpack', title: 'Apicurio Registry' },
  xgboost: { goal: 'dependency:unpack', title: 'XGBoost' },
} as const;
export type JarPart = keyof typeof PARTS;
export type Progress = (line: string) => void;

const FETCH_DEADLINE_MS = 15 * 60_000;
/** How the names of what is not whole yet begin. */
export const UNFINISHED = '.unfinished-';
const ABANDONED_MS = 60 * 60_000;
const PROGRESS_INTERVAL_MS = 250;
const OUTPUT_LINES_KEPT = 200;

/** The folder that the jars are shared in: JARS_DIR, else `jars` in the data folder. */
export const jarsFolder = (settings: { readonly JARS_DIR?: string | undefined; readonly DATA_DIR: string }): string =>
  settings.JARS_DIR ?? join(settings.DATA_DIR, 'jars');

/** Name and version of a part as the pom pins it, which is also the name of its folder: `kafka-4.1.0`. */
export function partVersion(part: JarPart): string {
  const found = new RegExp(`<${part}\\.version>([^<]+)<`).exec(readFileSync(POM_FILE, 'utf8'));
  if (found === null) throw new TidemarkError('INTERNAL', `${POM_FILE}: no property ${part}.version`);
  return `${part}-${found[1]}`;
}

/** Where a part's files stand once fetched; absolute, since Maven takes a relative path from the pom's folder. */
export const partFolder = (part: JarPart, jarsDir: string): string => resolve(jarsDir, partVersion(part));
export const isFetched = (part: JarPart, jarsDir: string): boolean => existsSync(partFolder(part, jarsDir));

/**
 * The folder with a part's files, absolute, fetched through Maven if it is not there yet. The folder appears by one rename, so that
 * it is whole or absent, whatever ends a fetch; several processes may fetch at once. Maven keeps what it had downloaded.
 * @throws TidemarkError REQUIREMENT_MISSING without Maven, DOWNLOAD_FAILED with what Maven said
 */
export async function fetchJars(part: JarPart, jarsDir: string, progress: Progress = () => {}): Promise<string> {
  const folder = partFolder(part, jarsDir);
  if (existsSync(folder)) return folder;
  const { command } = await requireMaven();
  await mkdir(jarsDir, { recursive: true });
  await removeAbandoned(jarsDir);
  const unfinished = await mkdtemp(resolve(jarsDir, UNFINISHED));
  try {
    await runMaven(command, part, unfinished, progress);
    await rename(unfinished, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function runMaven(command: string, part: JarPart, target: string, progress: Progress): Promise<void> {
  const { goal, title } = PARTS[part];
  const name = `${title} ${partVersion(part).slice(part.length + 1)}`;
  const args = ['-B', '-f', POM_FILE, '-P', part, goal, `-DoutputDirectory=${target}`];
  progress(`fetching ${name} (first start only)`);
  return new Promise((done, reject) => {
    const lines: string[] = [];
    let files = 0;
    let told = 0;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: target });
    const deadline = setTimeout(() => child.kill('SIGKILL'), FETCH_DEADLINE_MS);
    const onLine = (line: string): void => {
      if (lines.push(line) > OUTPUT_LINES_KEPT) lines.shift();
      const got = /Downloaded from \S+: .*\/([^/ ]+)/.exec(line);
      if (got === null) return;
      files++;
      if (Date.now() - told < PROGRESS_INTERVAL_MS) return;
      told = Date.now();
      progress(`fetching ${name} (first start only): ${files} files, ${got[1]}`);
    };
    createInterface(child.stdout).on('line', onLine);
    createInterface(child.stderr).on('line', onLine);
    child.on('error', (error) => { clearTimeout(deadline); reject(downloadFailed(name, error.message)); });
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) done();
      else if (signal === 'SIGKILL') reject(downloadFailed(name, `Maven was not done within ${FETCH_DEADLINE_MS / 60_000} minutes`));
      else reject(downloadFailed(name, firstError(lines)));
    });
  });
}

function downloadFailed(name: string, reason: string): TidemarkError {
  const advice = 'check that this machine reaches Maven Central (or the mirror in ~/.m2/settings.xml) and start again: what was downloaded is kept';
  return new TidemarkError('DOWNLOAD_FAILED', `fetching ${name} through Maven: ${reason}; ${advice}`);
}

function firstError(lines: readonly string[]): string {
  const error = lines.find((line) => line.startsWith('[ERROR]')) ?? lines.at(-1) ?? 'it printed nothing';
  return error.replace('[ERROR] ', '').slice(0, 600);
}

/** What a killed fetch or program left behind, old enough that nobody works in it. */
export async function removeAbandoned(jarsDir: string): Promise<void> {
  for (const name of await readdir(jarsDir)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const path = join(jarsDir, name);
    const age = await stat(path).then((found) => Date.now() - found.mtimeMs, () => 0);
    if (age > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}
