import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { decideRestart, RESTART_POLICY, type RestartPolicy } from './core/restart.js';

/** A part that runs now. */
export interface Running {
  readonly pid: number;
  /** Resolves when it has ended, planned or not, with how: `exit code 1`, `signal SIGKILL`. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
  /** The end of what it said, for the message when it is given up. */
  lastWords?(): string;
}

export interface Supervised {
  readonly name: string;
  readonly pid: number;
  readonly restarts: number;
  /** Stops it for good; unplanned ends before that start it again. */
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly name: string;
  start(): Promise<Running>;
  readonly log: Log;
  /** Told of every unplanned end, in words for the console. */
  say(line: string): void;
  /** It kept ending: the system cannot go on. */
  fail(error: unknown): void;
  readonly policy?: RestartPolicy;
  readonly now?: () => number;
}

/** Starts a part and starts it again when it ends unasked, backing off; after too many ends in a row it fails aloud. */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const { name, log, say, fail, policy = RESTART_POLICY, now = Date.now } = options;
  let exits: readonly number[] = [];
  let restarts = 0;
  let stopping = false;
  let wake: () => void = () => {};
  let running = await options.start();

  const watch = async (): Promise<void> => {
    while (!stopping) {
      const how = await running.exited;
      if (stopping) return;
      let reason = how;
      for (let started = false; !started && !stopping;) {
        const decision = decideRestart(exits, now(), policy);
        exits = decision.exits;
        log.warn('part_ended', { part: name, how: reason, exits: exits.length });
        if (decision.action === 'give_up') {
          const words = running.lastWords?.() ?? '';
          return fail(new TidemarkError('PART_NOT_READY', `${name} ended ${exits.length} times within ${policy.window_ms / 1000} s (last: ${reason}); not starting it again${words === '' ? '' : `. Its last words: ${words}`}`));
        }
        say(`${name} ended (${reason}); starting it again in ${decision.delay_ms} ms`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, decision.delay_ms);
          wake = () => { clearTimeout(timer); resolve(); };
        });
        if (stopping) return;
        restarts++;
        try {
          const next = await options.start();
          if (stopping) return await next.stop();
          running = next;
          started = true;
        } catch (error) {
          reason = messageOf(error);
        }
      }
    }
  };
  const watched = watch();

  return {
    name,
    get pid() { return running.pid; },
    get restarts() { return restarts; },
    async stop() {
      stopping = true;
      wake();
      await running.stop();
      await watched;
    },
  };
}
