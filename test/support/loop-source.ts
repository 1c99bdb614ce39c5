import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { runs } from './wait.js';

/** Days of event time that the source may be ahead of drift before it is held, and until it goes on. A look needs a window of seven. */
const AHEAD_DAYS = { most: 16, least: 13 };
/** What a fast machine lands in the half minute of a training: its last weeks are what the successor learns the change from. */
const UNANSWERED_DAYS = 60;
const STARTS_MAX = 5;
const PACE_MS = 1000;

export interface PacedSource {
  /** Ends it as Ctrl-C does. */
  stop(): Promise<void>;
  kill(): void;
}

/**
 * `tidemark simulate`, held (as Ctrl-Z does) while it is far ahead of what drift has looked at, or of a retraining that was
 * asked for: a slow machine then takes longer over the same days, and not more days. Where it ends unasked it is started
 * again: it goes on where it was.
 * @param ahead days between what has landed and what drift has looked at
 * @param unanswered days between what has landed and what an unanswered retrain event is about
 */
export function startPacedSource(dataDir: string, env: Readonly<Record<string, string>>, options: readonly string[], ahead: () => Promise<number>, unanswered: () => Promise<number>): PacedSource {
  let stopping = false;
  let starts = 0;
  const start = (): ChildProcess => {
    starts++;
    const started = spawn(process.execPath, [join(PROJECT_ROOT, 'deploy', 'tidemark.mjs'), 'simulate', ...options], { env: { ...process.env, DATA_DIR: dataDir, ...env }, stdio: 'ignore' });
    started.once('exit', () => { if (!stopping && starts < STARTS_MAX) child = start(); });
    return started;
  };
  let child = start();
  const pacing = (async () => {
    let held: ChildProcess | undefined;
    for (; !stopping; await sleep(PACE_MS)) {
      const found = await Promise.all([ahead(), unanswered()]).catch(() => undefined);
      if (found === undefined || stopping) continue;
      const [days, waiting] = found;
      if (held !== child && (days > AHEAD_DAYS.most || waiting > UNANSWERED_DAYS)) (held = child).kill('SIGSTOP');
      else if (held === child && days < AHEAD_DAYS.least && waiting <= UNANSWERED_DAYS) {
        child.kill('SIGCONT');
        held = undefined;
      }
    }
  })();
  return {
    kill: () => { stopping = true; child.kill('SIGKILL'); },
    async stop() {
      stopping = true;
      await pacing;
      const ended = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      if (child.pid !== undefined && runs(child.pid) && child.exitCode === null) await ended;
    },
  };
}
