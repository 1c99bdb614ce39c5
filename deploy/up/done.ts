import { FEATURES_GROUP, LANDING_GROUP, SCORER_GROUP } from '../../schemas/groups.js';
import { TOPICS } from '../../schemas/topics.js';
import type { Positions } from './positions.js';

export interface DoneOptions {
  readonly positions: Positions;
  /** Ends of customer-events after everything was published. */
  readonly next_offsets: readonly number[];
  readonly progress: (line: string) => void;
  readonly say: (line: string) => void;
  readonly stopped: () => boolean;
}

/**
 * Waits until everything that was published is made into features, scored and landed: topic by topic, each up to the end
 * that it has once the one before is done.
 * @returns false when it was stopped before
 */
export async function waitUntilDone({ positions, next_offsets, progress, say, stopped }: DoneOptions): Promise<boolean> {
  const { events, features, predictions, deadLetters } = TOPICS;
  const toGo = (what: string) => (left: number): void => progress(`${what}: ${left} to go`);
  if (!(await positions.reached(FEATURES_GROUP, events.name, next_offsets, stopped, toGo('making features')))) return false;
  if (!(await positions.reached(SCORER_GROUP, features.name, await positions.ends(features.name), stopped, toGo('scoring')))) return false;
  for (const topic of [events.name, predictions.name, deadLetters.name]) {
    if (!(await positions.reached(LANDING_GROUP, topic, await positions.ends(topic), stopped, toGo(`landing ${topic}`)))) return false;
  }
  say('all events are scored and landed');
  return true;
}
