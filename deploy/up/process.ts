import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TidemarkError } from '../../runtime/errors.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';

/** A little longer than a service takes for itself, so that its own deadline speaks first. */
const STOP_DEADLINE_MS = 25_000;
const LOG_BYTES_MAX = 50 * 1024 * 1024;
const LAST_LINES = 3;
const MAIN = join(PROJECT_ROOT, 'dist', 'deploy', 'cli', 'main-process.js');

export interface ProcessOptions {
  /** Name of its log file. */
  readonly name: string;
  /** The subcommand and its arguments. */
  readonly args: readonly string[];
  /** Flags of Node.js itself. */
  readonly nodeFlags?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logDir: string;
  /** Sees every line that the process prints. */
  onLine?(line: string): void;
}

export interface Process {
  readonly pid: number;
  readonly exited: Promise<string>;
  readonly logFile: string;
  stop(): Promise<void>;
  lastWords(): string;
}

/**
 * Runs a subcommand as a process of its own. It has its own process group, so that Ctrl-C reaches the supervisor alone,
 * which stops the parts in order; and a channel to this process, whose end it takes for a stop.
 */
export function startProcess({ name, args, nodeFlags = [], env, logDir, onLine }: ProcessOptions): Process {
  mkdirSync(logDir, { recursive: true });
  const logFile = join(logDir, `${name}.log`);
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`);
  const file = createWriteStream(logFile, { flags: 'a' });
  file.on('error', () => {});
  const child: ChildProcess = spawn(process.execPath, [...nodeFlags, MAIN, ...args], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => { file.end(); resolve(signal === null ? `exit code ${code}` : `signal ${signal}`); });
  });
  const { pid, stdout, stderr } = child;
  if (pid === undefined || stdout === null || stderr === null) throw new TidemarkError('PART_NOT_READY', `${name}: cannot start a process`);

  const last: string[] = [];
  const take = (line: string): void => {
    file.write(`${line}\n`);
    if (last.push(line) > LAST_LINES) last.shift();
    onLine?.(line);
  };
  createInterface(stdout).on('line', take);
  createInterface(stderr).on('line', take);
  return {
    pid, exited, logFile,
    lastWords: () => last.join(' | '),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await exited;
      clearTimeout(late);
    },
  };
}
