import { connect as connectTcp } from 'node:net';
import { messageOf } from '../../runtime/errors.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { Log } from '../../runtime/log.js';
import { isPortFree } from '../../runtime/ports.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { readEndpoints } from '../endpoints.js';
import { runSql } from '../sql.js';
import { portOwner } from '../up/port-owner.js';
import { portWishes } from '../up/port-wishes.js';
import { type Check, fail, ok, warn } from './check.js';

const CONNECT_DEADLINE_MS = 5_000;
const REQUEST_DEADLINE_MS = 8_000;
const quiet = new Log('doctor', 'error', () => {});

export const ports: Check = {
  name: 'ports', quick: false, applies: () => true,
  async run(settings) {
    const running = readEndpoints(settings.DATA_DIR);
    if (running !== undefined) return ok(`tidemark up runs on ${settings.DATA_DIR} (process ${running.pid})`);
    const wishes = portWishes(settings);
    const taken: string[] = [];
    for (const { variable, what, port, host } of wishes) {
      if (await isPortFree(port, host)) continue;
      const owner = portOwner(port);
      taken.push(`${port} for ${what} (${variable})${owner === undefined ? '' : ` by ${owner}`}`);
    }
    return taken.length === 0 ? ok(`free: ${wishes.map(({ port }) => port).join(', ')}`)
      : warn(`taken: ${taken.join('; ')}`, 'set those variables to other ports, or start with --auto-ports');
  },
};

export const broker: Check = {
  name: 'Kafka', quick: true, applies: (settings) => settings.KAFKA_BROKERS !== undefined,
  async run(settings) {
    const addresses = (settings.KAFKA_BROKERS ?? '').split(',').map((address) => address.trim());
    const reached = await Promise.all(addresses.map(isReachable));
    if (!reached.includes(true)) return fail(`no broker of KAFKA_BROKERS=${settings.KAFKA_BROKERS} accepts a connection`, 'check the addresses, the network and that Kafka runs; unset KAFKA_BROKERS for the embedded one');
    const admin = createKafka(settings, quiet).admin({ retry: { retries: 2 } });
    try {
      return await within(async () => {
        await admin.connect();
        const { brokers } = await admin.describeCluster();
        return ok(`${brokers.length} broker${brokers.length === 1 ? '' : 's'} at ${settings.KAFKA_BROKERS}`);
      });
    } catch (error) {
      return fail(`${settings.KAFKA_BROKERS}: ${messageOf(error)}`, 'check KAFKA_TLS, KAFKA_CA_FILE and the KAFKA_SASL_* settings against what the brokers ask for');
    } finally {
      await admin.disconnect().catch(() => {});
    }
  },
};

export const registry: Check = {
  name: 'registry', quick: true, applies: (settings) => settings.SCHEMA_REGISTRY_URL !== undefined,
  async run(settings) {
    try {
      const subjects = await within(() => createRegistry(settings, quiet).client.getAllSubjects());
      return ok(`${subjects.length} subject${subjects.length === 1 ? '' : 's'} at ${settings.SCHEMA_REGISTRY_URL}`);
    } catch (error) {
      return fail(`${settings.SCHEMA_REGISTRY_URL}: ${messageOf(error)}`, 'check the address (with Apicurio it ends in /apis/ccompat/v7), SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_CA_FILE');
    }
  },
};

export const clickhouse: Check = {
  name: 'ClickHouse', quick: true, applies: (settings) => settings.CLICKHOUSE_URL !== undefined,
  async run(settings) {
    const url = new URL(settings.CLICKHOUSE_URL ?? '');
    try {
      const version = await within(() => runSql(settings, 'SELECT version()', { inDatabase: false }));
      return ok(`${version.trim()} at ${url.origin}`);
    } catch (error) {
      return fail(`${url.origin}: ${messageOf(error)}`, 'check CLICKHOUSE_URL (the HTTP port, 8123 or 8443), CLICKHOUSE_USER, CLICKHOUSE_PASSWORD and CLICKHOUSE_CA_FILE');
    }
  },
};

function isReachable(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  const port = Number(address.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connectTcp({ host: address.slice(0, at), port, timeout: CONNECT_DEADLINE_MS });
    const end = (reached: boolean) => () => { socket.destroy(); resolve(reached); };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

export async function within<T>(work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${REQUEST_DEADLINE_MS / 1000} s`)), REQUEST_DEADLINE_MS);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
