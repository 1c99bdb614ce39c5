import { startEmbeddedClickHouse } from '../../runtime/embedded/clickhouse/start.js';
import { startEmbeddedKafka } from '../../runtime/embedded/kafka.js';
import { fetchJars, jarsFolder } from '../../runtime/embedded/maven.js';
import { startEmbeddedRegistry } from '../../runtime/embedded/registry.js';
import type { Log } from '../../runtime/log.js';
import { LOOPBACK } from '../../runtime/ports.js';
import type { Settings } from '../../runtime/settings.js';
import { neededJars } from '../doctor/machine.js';
import type { MovingPorts } from './moving-ports.js';
import type { Running, Supervised } from './supervisor.js';

export interface PartsOptions {
  readonly settings: Settings;
  readonly ports: MovingPorts;
  readonly log: Log;
  readonly progress: (line: string) => void;
  /** Puts a part under supervision; a part that stops answers to the shutdown in the reverse order of this. */
  readonly run: (name: string, start: () => Promise<Running>) => Promise<Supervised>;
}

/** Fetches what is not there yet, one part after the other, so that one line can tell of it. */
export async function fetchParts(settings: Settings, progress: (line: string) => void): Promise<void> {
  for (const part of neededJars(settings)) await fetchJars(part, jarsFolder(settings), progress);
}

/** Starts those of Kafka, ClickHouse and the registry whose address is not set. @returns the addresses, as settings */
export async function startParts({ settings, ports, log, progress, run }: PartsOptions): Promise<Record<string, string>> {
  const common = { dataDir: settings.DATA_DIR, jarsDir: jarsFolder(settings), log };
  const addresses: Record<string, string> = {};
  const portOf = (variable: 'KAFKA_PORT' | 'SCHEMA_REGISTRY_PORT' | 'CLICKHOUSE_PORT'): number => Number(ports.moved[variable] ?? settings[variable]);
  const clickhouse = async (): Promise<void> => {
    if (settings.CLICKHOUSE_URL !== undefined) return;
    const { CLICKHOUSE_PASSWORD: password, CLICKHOUSE_READER_PASSWORD: readerPassword } = settings;
    const passwords = { ...(password === undefined ? {} : { password }), ...(readerPassword === undefined ? {} : { readerPassword }) };
    await run('ClickHouse', () => ports.start('CLICKHOUSE_PORT', () => startEmbeddedClickHouse({ ...common, port: portOf('CLICKHOUSE_PORT'), ...passwords })));
    addresses['CLICKHOUSE_URL'] = `http://${LOOPBACK}:${portOf('CLICKHOUSE_PORT')}`;
  };
  const kafkaAndRegistry = async (): Promise<void> => {
    if (settings.KAFKA_BROKERS === undefined) {
      await run('Kafka', () => ports.start('KAFKA_PORT', () => startEmbeddedKafka({ ...common, port: portOf('KAFKA_PORT') })));
      addresses['KAFKA_BROKERS'] = `${LOOPBACK}:${portOf('KAFKA_PORT')}`;
    }
    if (settings.SCHEMA_REGISTRY_URL !== undefined) return;
    progress('starting the schema registry');
    // On a cluster of the user's own the registry keeps its schemas in a file, so that it asks nothing of that cluster.
    const brokers = addresses['KAFKA_BROKERS'];
    const registry = await run('registry', () => ports.start('SCHEMA_REGISTRY_PORT', () => startEmbeddedRegistry({ ...common, port: portOf('SCHEMA_REGISTRY_PORT'), ...(brokers === undefined ? {} : { brokers }) })));
    log.debug('registry_supervised', { pid: registry.pid });
    addresses['SCHEMA_REGISTRY_URL'] = `http://${LOOPBACK}:${portOf('SCHEMA_REGISTRY_PORT')}/apis/ccompat/v7`;
  };
  progress('starting Kafka and ClickHouse');
  await Promise.all([kafkaAndRegistry(), clickhouse()]);
  return addresses;
}
