import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { UpOptions } from './options.js';
import { createScreen } from './screen.js';
import { createShutdown } from './shutdown.js';
import { startAll } from './start.js';

/**
 * Runs the whole system on this machine until it is told to stop, or until all is done.
 * @returns the exit code: 0 after a stop that was asked for or when all is done, 1 when it could not go on
 */
export async function runUp(options: UpOptions, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const screen = createScreen(process.stdout);
  const shutdown = createShutdown();
  let ended: (code: number) => void = () => {};
  const end = new Promise<number>((resolve) => { ended = resolve; });
  let stopping = false;
  const stop = (code: number): void => {
    if (stopping) return;
    stopping = true;
    ended(code);
  };
  const fail = (error: unknown): void => {
    if (!stopping) screen.say(`tidemark: ${describe(error)}`);
    stop(1);
  };
  const onSignal = (): void => {
    if (stopping) {
      screen.say('stopping at once');
      process.exit(130);
    }
    screen.say('stopping (once more to stop at once)');
    stop(0);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
  process.on('unhandledRejection', fail);

  startAll(options, env, { screen, shutdown, stopped: () => stopping, fail }).then(
    (done) => { if (done) stop(0); },
    fail,
  );
  const code = await end;
  const clean = await shutdown.run(screen.say);
  if (clean && code === 0) screen.say('stopped');
  else if (!clean) screen.say('stopped, but not in order: see above');
  return clean ? code : 1;
}

const describe = (error: unknown): string =>
  error instanceof TidemarkError ? `${error.message} [${error.code}]` : error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
