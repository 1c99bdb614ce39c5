import { Cron } from 'croner';
import { messageOf, TidemarkError } from '../../runtime/errors.js';

/** A cron expression's times, UTC. @throws TidemarkError CONFIG_INVALID */
export function createSchedule(expression: string): { lastIn(after: number, until: number): number | undefined } {
  let cron: Cron;
  try {
    cron = new Cron(expression, { timezone: 'UTC', paused: true });
  } catch (cause) {
    throw new TidemarkError('CONFIG_INVALID', `RETRAIN_SCHEDULE: got ${JSON.stringify(expression)}: ${messageOf(cause)}; expected a cron expression of minute, hour, day, month and weekday, such as "0 3 * * 1"`, { cause });
  }
  return {
    /** The latest time in (after, until], epoch milliseconds: what was missed is made up for once. */
    lastIn(after, until) {
      const [last] = cron.previousRuns(1, new Date(until + 1));
      return last !== undefined && last.getTime() > after && last.getTime() <= until ? last.getTime() : undefined;
    },
  };
}
