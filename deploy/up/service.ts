import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TidemarkError } from '../../runtime/errors.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import type { Running } from './supervisor.js';

const START_DEADLINE_MS = 60_000;
/** A little longer than a service takes for itself, so that its own deadline speaks first. */
const STOP_DEADLINE_MS = 25_000;
const LOG_BYTES_MAX = 50 * 1024 * 1024;
const LAST_LINES = 5;
const MAIN = join(PROJECT_ROOT, 'dist', 'deploy', 'cli', 'main-process.js');

export interface ServiceOptions {
  /** The subcommand and its arguments. */
  readonly args: readonly string[];
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logDir: string;
  /** Sees every line the process prints. */
  onLine?(line: string): void;
}

/**
 * Starts a subcommand as a process of its own and returns once it says it has started. It has its own process group, so that Ctrl-C
 * reaches the supervisor alone, which stops the parts in order; and a channel to this process, whose end it takes for a stop.
 */
export async function startService(options: ServiceOptions): Promise<Running> {
  const { name, args, env, logDir, onLine } = options;
  mkdirSync(logDir, { recursive: true });
  const logFile = join(logDir, `${name}.log`);
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`);
  const file = createWriteStream(logFile, { flags: 'a' });
  file.on('error', () => {});
  const child = spawn(process.execPath, [MAIN, ...args], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const { pid, stdout, stderr } = child;
  if (pid === undefined || stdout === null || stderr === null) throw new TidemarkError('PART_NOT_READY', `${name}: cannot start a process`);

  const last: string[] = [];
  let started: () => void = () => {};
  const hasStarted = new Promise<true>((resolve) => { started = () => resolve(true); });
  const onText = (line: string): void => {
    file.write(`${line}\n`);
    if (last.push(line) > LAST_LINES) last.shift();
    if (line.includes('"event":"started"')) started();
    onLine?.(line);
  };
  createInterface(stdout).on('line', onText);
  createInterface(stderr).on('line', onText);

  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => { file.end(); resolve(signal === null ? `exit code ${code}` : `signal ${signal}`); });
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(late);
  };

  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<'late'>((resolve) => { timer = setTimeout(resolve, START_DEADLINE_MS, 'late'); });
  const outcome = await Promise.race([hasStarted, deadline, exited.then((how) => ({ how }))]);
  clearTimeout(timer);
  if (outcome === true) return { pid, exited, stop, lastWords: () => last.join(' | ') };
  await stop();
  const how = outcome === 'late' ? `did not start within ${START_DEADLINE_MS / 1000} s` : `ended while starting (${outcome.how})`;
  throw new TidemarkError('PART_NOT_READY', `${name} ${how}; ${logFile} ends with: ${last.join(' | ')}`);
}
