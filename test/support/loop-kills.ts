import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.js';
import type { UpProcess } from './up-process.js';

/** The supervisor takes a service for broken at six ends within three minutes: one is left over. Some are kept for chosen moments. */
const KILLS_MAX = { random: 2, all: 5 };

export interface Kills {
  /** Kills a service now, if it has kills left and runs. */
  now(name: string): void;
  /** Every kill, in order. */
  readonly made: readonly { readonly name: string; readonly pid: number; readonly at: number }[];
  /** No more of them. */
  stop(): Promise<void>;
}

/** kill -9 of services of a running system at moments that follow from a seed; the supervisor starts them again. */
export function startKills(up: UpProcess, random: Random, names: readonly string[], say: (line: string) => void, meanMs = 12_000): Kills {
  const made: { name: string; pid: number; at: number }[] = [];
  const abort = new AbortController();
  const kill = (name: string, most: number): void => {
    const pid = up.children().get(name);
    if (pid === undefined || made.filter((one) => one.name === name).length >= most || made.some((one) => one.pid === pid)) return;
    process.kill(pid, 'SIGKILL');
    made.push({ name, pid, at: Date.now() });
    say(`kill -9 of ${name} (${pid})`);
  };
  const running = (async () => {
    while (!abort.signal.aborted) {
      await sleep(meanMs * random.exponential(), undefined, { signal: abort.signal }).catch(() => undefined);
      if (!abort.signal.aborted && up.process.exitCode === null) kill(random.pick(names), KILLS_MAX.random);
    }
  })();
  return {
    made,
    now: (name) => kill(name, KILLS_MAX.all),
    async stop() {
      abort.abort();
      await running;
    },
  };
}
