import type { Log } from './log.js';

/** Something with an orderly end: no new work, what is under way committed, connections closed. */
export interface Stoppable {
  stop(): Promise<void>;
}

const STOP_DEADLINE_MS = 20_000;

/**
 * Runs one service as this process: starts it, stops it in order on SIGINT, SIGTERM or the parent's end,
 * and ends the process. A failure while starting, and any error nobody caught, ends it with status 1, so that the
 * supervisor starts it afresh from committed state.
 */
export async function runService(log: Log, start: (fail: (error: unknown) => void) => Promise<Stoppable>): Promise<never> {
  let ended: (code: number) => void;
  const exitCode = new Promise<number>((resolve) => { ended = resolve; });
  let service: Stoppable | undefined;
  let stopping = false;

  const stop = (reason: string, code: number): void => {
    if (stopping) return;
    stopping = true;
    log.info('stopping', { reason });
    const deadline = setTimeout(() => { log.error('stop_timed_out', `not stopped within ${STOP_DEADLINE_MS} ms`); ended(1); }, STOP_DEADLINE_MS);
    Promise.resolve(service?.stop()).then(
      () => { clearTimeout(deadline); log.info('stopped'); ended(code); },
      (error: unknown) => { log.error('stop_failed', error); ended(1); },
    );
  };
  const fail = (error: unknown): void => { log.error('failed', error); stop('failure', 1); };

  // When the supervisor is killed its end of the pipes closes: what cannot be logged any more must not keep the stop from happening.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('SIGINT', () => stop('SIGINT', 0));
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('disconnect', () => stop('parent ended', 0));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  start(fail).then(
    (started) => { service = started; if (!stopping) log.info('started'); else void started.stop().finally(() => ended(1)); },
    fail,
  );
  process.exit(await exitCode);
}
