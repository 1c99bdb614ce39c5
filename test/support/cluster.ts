import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedClickHouse } from '../../runtime/embedded/clickhouse/start.js';
import { startEmbeddedKafka } from '../../runtime/embedded/kafka.js';
import { startEmbeddedRegistry } from '../../runtime/embedded/registry.js';
import { Log } from '../../runtime/log.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { freePort } from '../../runtime/ports.js';
import { loadSettings, type Settings } from '../../runtime/settings.js';

/** Where every test finds the jars: one folder for all their data folders. */
export const TEST_JARS_DIR = process.env['JARS_DIR'] ?? join(PROJECT_ROOT, '.tidemark', 'jars');

/** Warnings and errors only, on stderr, so that the test's own output stays readable. */
export const testLog = new Log('test', 'warn', (line) => process.stderr.write(line));

export interface ClusterParts {
  kafka?: boolean;
  registry?: boolean;
  clickhouse?: boolean;
  partitions?: number;
  /** More settings, as environment variables. */
  settings?: Record<string, string>;
}

export interface Cluster {
  readonly settings: Settings;
  readonly dataDir: string;
  /** The settings as an environment for child processes. */
  readonly env: Readonly<Record<string, string>>;
  readonly pids: Readonly<{ kafka?: number; registry?: number; clickhouse?: number }>;
  stop(): Promise<void>;
}

/** Whatever has an ending hook: tap's `t`. */
interface Teardown {
  teardown(end: () => Promise<void>): unknown;
}

/**
 * Real parts on free ports in a data folder of their own, stopped and removed when the test ends. The settings know only
 * these parts: nothing of the environment leaks in.
 */
export async function startCluster(t: Teardown, parts: ClusterParts): Promise<Cluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  const ends: (() => Promise<void>)[] = [];
  const pids: { kafka?: number; registry?: number; clickhouse?: number } = {};
  const env: Record<string, string> = { DATA_DIR: dataDir, JARS_DIR: TEST_JARS_DIR, KAFKA_PARTITIONS: String(parts.partitions ?? 2) };
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    for (const end of ends.reverse()) await end();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  t.teardown(stop);

  const common = { dataDir, log: testLog, jarsDir: TEST_JARS_DIR };
  const kafkaThenRegistry = async (): Promise<void> => {
    if (parts.kafka === true) {
      const kafka = await startEmbeddedKafka({ ...common, port: await freePort() });
      ends.push(() => kafka.stop());
      pids.kafka = kafka.pid;
      env['KAFKA_BROKERS'] = kafka.brokers;
    }
    if (parts.registry === true) {
      const brokers = env['KAFKA_BROKERS'];
      const registry = await startEmbeddedRegistry({ ...common, port: await freePort(), ...(brokers === undefined ? {} : { brokers }) });
      ends.push(() => registry.stop());
      pids.registry = registry.pid;
      env['SCHEMA_REGISTRY_URL'] = registry.url;
    }
  };
  const clickhouse = async (): Promise<void> => {
    if (parts.clickhouse !== true) return;
    const server = await startEmbeddedClickHouse({ dataDir, log: testLog, port: await freePort() });
    ends.push(() => server.stop());
    pids.clickhouse = server.pid;
    env['CLICKHOUSE_URL'] = server.url;
  };
  await Promise.all([kafkaThenRegistry(), clickhouse()]);
  for (const name of ['SCORER_PORT', 'FEATURES_METRICS_PORT', 'LANDING_METRICS_PORT', 'TRAINER_METRICS_PORT', 'DRIFT_METRICS_PORT', 'ROLLOUT_METRICS_PORT']) env[name] = String(await freePort());
  Object.assign(env, parts.settings);
  return { settings: loadSettings(env), dataDir, env, pids, stop };
}
