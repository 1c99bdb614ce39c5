import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TidemarkError } from '../../runtime/errors.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { requireHealthy } from '../doctor/main.js';
import { removeEndpoints, writeEndpoints } from '../endpoints.js';
import { prepare } from '../prepare.js';
import { banner } from './banner.js';
import { bootstrap, hasModel } from './bootstrap.js';
import { baseSettings, configure, withAddresses } from './configuration.js';
import { waitUntilDone } from './done.js';
import { followScores } from './live-scores.js';
import { lockDataFolder } from './lock.js';
import { movingPorts } from './moving-ports.js';
import { openSource, sourceLine } from './open-source.js';
import type { UpOptions } from './options.js';
import { fetchParts, startParts } from './parts.js';
import { openPositions } from './positions.js';
import type { Screen } from './screen.js';
import { runToEnd, startService } from './service.js';
import type { Shutdown, Stage } from './shutdown.js';
import { type Running, supervise } from './supervisor.js';

/** The services in the order in which they are started, by their subcommand, with the setting of the port that each listens on. */
const SERVICES = {
  processor: 'FEATURES_METRICS_PORT', landing: 'LANDING_METRICS_PORT', scorer: 'SCORER_PORT', drift: 'DRIFT_METRICS_PORT',
  trainer: 'TRAINER_METRICS_PORT', rollout: 'ROLLOUT_METRICS_PORT',
} as const;
/** The scorer's young generation begins at its full size: at a megabyte, which V8 begins with, it is collected so often that one request in a hundred waits for it. */
export const SCORER_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64', '--min-semi-space-size=64'];
const EMBEDDED = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'CLICKHOUSE_URL'];

export interface StartContext {
  readonly screen: Screen;
  readonly shutdown: Shutdown;
  stopped(): boolean;
  fail(error: unknown): void;
}

/** The first model is there in seconds; every later training searches as the settings say. */
const FIRST_TRAINING = { TRAIN_FAMILIES: 'xgboost', TRAIN_SEARCH_TRIALS: '2' };

/**
 * Starts everything in order, each step once the one before holds, and adds to the shutdown what has to end.
 * @returns whether all is done, so that the process may end
 */
export async function startAll(options: UpOptions, env: NodeJS.ProcessEnv, { screen, shutdown, stopped, fail }: StartContext): Promise<boolean> {
  const base = baseSettings(env);
  await requireHealthy(base);
  const lock = lockDataFolder(base.DATA_DIR);
  shutdown.add('folder', 'lock', lock.release);
  const logDir = join(base.DATA_DIR, 'logs');
  mkdirSync(logDir, { recursive: true });
  const log = openLog(base, logDir, options.logs, screen);
  let configuration = await configure(env, base, options.autoPorts, lock.afterKill);

  const run = async (stage: Stage, name: string, startPart: () => Promise<Running>) => {
    const part = await supervise({ name, start: startPart, log, say: screen.say, fail });
    shutdown.add(stage, name, () => part.stop());
    return part;
  };
  const ports = movingPorts(options.autoPorts);
  await fetchParts(configuration.settings, screen.progress);
  if (stopped()) return false;
  const addresses = await startParts({ settings: configuration.settings, ports, log, progress: screen.progress, run: (name, startPart) => run(name as Stage, name, startPart) });
  configuration = withAddresses(env, configuration, { ...ports.moved, ...addresses });
  const { settings, chosen } = configuration;
  if (stopped()) return false;

  screen.progress('preparing topics, schemas and tables');
  await prepare(settings, log);
  writeEndpoints(settings.DATA_DIR, chosen);
  shutdown.add('folder', 'endpoints', () => removeEndpoints(settings.DATA_DIR));

  const processOf = (name: string, args: readonly string[]) => ({
    name, args, logDir,
    env: { ...env, ...chosen, ...ports.moved },
    ...(options.logs ? { onLine: (line: string) => screen.say(`[${name}] ${line}`) } : {}),
  });
  screen.progress('starting the feature processor, landing and the scorer');
  await Promise.all(Object.entries(SERVICES).map(([name, variable]) => run('services', name, () => ports.start(variable, () => startService({ ...processOf(name, [name]), nodeFlags: name === 'scorer' ? SCORER_NODE_FLAGS : [] })))));
  configuration = withAddresses(env, configuration, ports.moved);
  writeEndpoints(settings.DATA_DIR, configuration.chosen);
  if (stopped()) return false;

  const positions = await openPositions(createKafka(settings, log));
  shutdown.add('clients', 'Kafka client', () => positions.close());
  const source = await openSource(options.source, settings, log, screen.progress);
  if (source !== undefined) {
    shutdown.add('source', 'source', () => source.stop());
    const train = (): Promise<void> => {
      const process = processOf('train', ['train']);
      const training = { ...process, env: { ...FIRST_TRAINING, ...process.env } };
      const onLine = (line: string): void => {
        const stage = /"stage":"(\w+)"/.exec(line)?.[1];
        if (stage !== undefined) screen.progress(`training the first model: ${stage}`);
        if (options.logs) screen.say(`[train] ${line}`);
      };
      return runToEnd({ ...training, onLine }, (stopTraining) => shutdown.add('source', 'training', stopTraining));
    };
    const ready = await bootstrap({ settings, log, source, positions, progress: screen.progress, stopped, train }).catch((error: unknown) => {
      if (options.exitWhenDone || !(error instanceof TidemarkError)) throw error;
      screen.say(`no first model: ${error.message}`);
      return true;
    });
    if (!ready) return false;
  }
  const scores = await followScores(settings, log, screen.say);
  shutdown.add('console', 'scores', () => scores.stop());
  screen.say(banner(configuration.settings, { embedded: new Set(EMBEDDED.filter((name) => addresses[name] !== undefined)), modelThere: await hasModel(settings, log) }));
  if (source === undefined) return false;

  const { ended, next_offsets } = await source.live((state) => screen.progress(sourceLine(state)));
  if (stopped() || !ended) return false;
  if (!options.exitWhenDone) {
    screen.say('all events are published; the system stays up for whatever else comes');
    return false;
  }
  return waitUntilDone({ positions, next_offsets, progress: screen.progress, say: screen.say, stopped });
}

function openLog(settings: Settings, logDir: string, onConsole: boolean, screen: Screen): Log {
  const file = createWriteStream(join(logDir, 'up.log'), { flags: 'a' });
  return new Log('up', settings.LOG_LEVEL, (line) => {
    file.write(line);
    if (onConsole) screen.say(`[up] ${line.trimEnd()}`);
  });
}
