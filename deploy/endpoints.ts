import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSettings, type Settings } from '../runtime/settings.js';

/** What a running `tidemark up` listens on, as settings for every other command on the same data folder. */
export interface Endpoints {
  readonly pid: number;
  readonly settings: Readonly<Record<string, string>>;
}

const fileIn = (dataDir: string): string => join(dataDir, 'endpoints.json');

export function writeEndpoints(dataDir: string, settings: Readonly<Record<string, string>>): void {
  const file = fileIn(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify({ pid: process.pid, settings }, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

export function removeEndpoints(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}

/** The endpoints of the system that runs on this data folder; undefined when none does. */
export function readEndpoints(dataDir: string): Endpoints | undefined {
  let found: Endpoints;
  try {
    found = JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as Endpoints;
  } catch {
    return undefined;
  }
  return isAlive(found.pid) ? found : undefined;
}

/** The address by which this machine reaches a service that listens on `host`. */
export const localHost = (host: string): string => (host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host);

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The settings of a command beside a running system: the environment first, then what that system listens on. */
export function settingsOfRunning(env: NodeJS.ProcessEnv = process.env): Settings {
  const own = loadSettings(env);
  const running = readEndpoints(own.DATA_DIR)?.settings ?? {};
  const overrides = Object.fromEntries(Object.entries(running).filter(([name]) => (env[name] ?? '') === ''));
  return loadSettings(env, overrides);
}
