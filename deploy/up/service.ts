import { TidemarkError } from '../../runtime/errors.js';
import { type ProcessOptions, startProcess } from './process.js';
import type { Running } from './supervisor.js';

const START_DEADLINE_MS = 60_000;

/** Starts a service and returns once it says that it has started. @throws TidemarkError PART_NOT_READY with its last words */
export async function startService(options: ProcessOptions): Promise<Running> {
  const { name } = options;
  let started: () => void = () => {};
  const hasStarted = new Promise<true>((resolve) => { started = () => resolve(true); });
  const service = startProcess({
    ...options,
    onLine(line) {
      if (line.includes('"event":"started"')) started();
      options.onLine?.(line);
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<'late'>((resolve) => { timer = setTimeout(resolve, START_DEADLINE_MS, 'late'); });
  const outcome = await Promise.race([hasStarted, deadline, service.exited.then((how) => ({ how }))]);
  clearTimeout(timer);
  if (outcome === true) return service;
  await service.stop();
  const how = outcome === 'late' ? `did not start within ${START_DEADLINE_MS / 1000} s` : `ended while starting (${outcome.how})`;
  throw new TidemarkError('PART_NOT_READY', `${name} ${how}; ${service.logFile} ends with: ${service.lastWords()}`);
}

/** Runs a subcommand to its end. @throws TidemarkError PART_NOT_READY with its last words unless it ends with exit code 0 */
export async function runToEnd(options: ProcessOptions, onStart: (stop: () => Promise<void>) => void): Promise<void> {
  const task = startProcess(options);
  onStart(() => task.stop());
  const how = await task.exited;
  if (how !== 'exit code 0') throw new TidemarkError('PART_NOT_READY', `${options.name} ended with ${how}: ${task.lastWords()}`);
}
