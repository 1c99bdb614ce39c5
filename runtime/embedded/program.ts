import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TidemarkError } from '../errors.js';

const STOP_DEADLINE_MS = 15_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_TAIL_BYTES = 2_000;
/** Of the user's environment a program gets only these: every other variable could be taken for one of its own settings. */
const ENV_KEPT = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'JAVA_HOME', 'JAVA_TOOL_OPTIONS'];
/**
 * The shell becomes the program (same pid) after leaving a watcher behind whose input is this process's pipe: when this
 * process ends, however it ends, the pipe closes and the watcher stops the program.
 */
const WATCHED = `exec 3<&0
(cat <&3 >/dev/null
kill -TERM $$
for i in $(seq ${STOP_DEADLINE_MS / 1000}); do sleep 1; kill -0 $$ || exit 0; done
kill -KILL $$) 2>/dev/null &
exec "$@" 3<&- </dev/null`;

export interface Program {
  readonly pid: number;
  /** Resolves when the program has ended, with what a person would say of it: `exit code 1`, `signal SIGKILL`. */
  readonly exited: Promise<string>;
  /** SIGTERM, then SIGKILL after 15 s. */
  stop(): Promise<void>;
  /** The end of its log. */
  logTail(): string;
}

export interface ProgramOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** Text in the arguments that no other data folder's program has: it tells a leftover of ours from a stranger with its pid. */
  readonly mark: string;
  /** Runs once a leftover is gone and before the program starts, for checks such as a free port. */
  readonly beforeStart?: () => Promise<void>;
}

/**
 * Starts a program of the embedded parts: its output goes to `logs/NAME.log`, it ends when this process ends, and one that
 * an earlier, killed run left behind is stopped first (its pid stands in `NAME.pid`).
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { name, command, args, dataDir } = options;
  const pidFile = join(dataDir, `${name}.pid`);
  const logFile = join(dataDir, 'logs', `${name}.log`);
  await mkdir(dirname(logFile), { recursive: true });
  await stopLeftover(pidFile, options.mark);
  await options.beforeStart?.();
  if (existsSync(logFile) && statSync(logFile).size > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`);

  const out = openSync(logFile, 'a');
  const env: Record<string, string> = { ...options.env };
  for (const key of ENV_KEPT) {
    const value = process.env[key];
    if (value !== undefined) env[key] ??= value;
  }
  const child = spawn('sh', ['-c', WATCHED, name, command, ...args], { detached: true, stdio: ['pipe', out, out], env });
  closeSync(out);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const done = exited.then(() => { child.stdin?.destroy(); rmSync(pidFile, { force: true }); });
  child.stdin?.on('error', () => {});
  const pid = child.pid;
  if (pid === undefined) throw new TidemarkError('PART_NOT_READY', `${name}: cannot start: ${await exited}`);
  writeFileSync(pidFile, String(pid));
  return {
    pid,
    exited,
    logTail: () => tailOf(logFile),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await done;
      clearTimeout(late);
    },
  };
}

/** Waits until `ready` says so, at most `deadlineMs`; a program that ends before is an error with the end of its log. */
export async function waitUntilReady(name: string, program: Program, ready: () => Promise<boolean>, deadlineMs: number): Promise<void> {
  let ended: string | undefined;
  void program.exited.then((how) => { ended = how; });
  const until = Date.now() + deadlineMs;
  while (!(await ready())) {
    if (ended !== undefined) throw new TidemarkError('PART_NOT_READY', `${name} ended while starting (${ended}); the end of its log: ${program.logTail()}`);
    if (Date.now() > until) {
      await program.stop();
      throw new TidemarkError('PART_NOT_READY', `${name} was not ready within ${deadlineMs / 1000} s; the end of its log: ${program.logTail()}`);
    }
    await sleep(50);
  }
}

/** Stops what a killed run left behind, if the pid is still that program's (pids are reused, so its command line must name our file). */
async function stopLeftover(pidFile: string, mark: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const isOurs = (): boolean => Number.isInteger(pid) && pid > 1 && commandLine(pid).includes(mark);
  if (isOurs()) {
    process.kill(pid, 'SIGTERM');
    const until = Date.now() + STOP_DEADLINE_MS;
    while (isOurs() && Date.now() < until) await sleep(100);
    if (isOurs()) process.kill(pid, 'SIGKILL');
    while (isOurs()) await sleep(20);
  }
  rmSync(pidFile, { force: true });
}

/** The command line of a running process where the system shows it (Linux); empty otherwise. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-LOG_TAIL_BYTES).trim();
  } catch {
    return '';
  }
}

