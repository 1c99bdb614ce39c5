import { createKafka } from '../../runtime/kafka/client.js';
import { hasRecords } from '../../runtime/kafka/read-partition.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { FEATURES_GROUP, LANDING_GROUP, SCORER_GROUP } from '../../schemas/groups.js';
import { TOPICS } from '../../schemas/topics.js';
import type { EventSource } from '../../stream-processors/sources/source.js';
import { sourceLine } from './open-source.js';
import type { Positions } from './positions.js';

export interface BootstrapOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly source: EventSource;
  readonly positions: Positions;
  readonly progress: (line: string) => void;
  readonly stopped: () => boolean;
  /** Runs `tidemark train` to its end. */
  readonly train: () => Promise<void>;
}

/** Whether any version of a model was ever published. */
export const hasModel = (settings: Settings, log: Log): Promise<boolean> => hasRecords(createKafka(settings, log), TOPICS.models.name);

/**
 * The first part of a source: published, made into features and landed, and, where there is no model yet, trained on. History is not
 * scored: the scorer begins after its features, but takes them into its online store. Every step finds by itself what an earlier start did.
 * @returns false when it was stopped before the end
 */
export async function bootstrap(options: BootstrapOptions): Promise<boolean> {
  const { settings, log, source, positions, progress, stopped, train } = options;
  const modelThere = await hasModel(settings, log);
  const { next_offsets } = await source.history((state) => progress(sourceLine(state)));
  if (stopped()) return false;
  if (modelThere) return true;
  const processed = await positions.reached(FEATURES_GROUP, TOPICS.events.name, next_offsets, stopped, (left) => progress(`making features of history: ${left} events to go`));
  if (!processed) return false;
  if (!(await positions.reached(LANDING_GROUP, TOPICS.events.name, next_offsets, stopped, (left) => progress(`landing history in ClickHouse: ${left} events to go`)))) return false;
  await positions.set(SCORER_GROUP, TOPICS.features.name, await positions.ends(TOPICS.features.name));
  progress('training the first model');
  await train();
  return !stopped();
}
