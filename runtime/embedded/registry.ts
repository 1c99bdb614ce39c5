import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TidemarkError } from '../errors.js';
import type { Log } from '../log.js';
import { isPortFree, LOOPBACK } from '../ports.js';
import { classArchive } from './class-archive.js';
import { requireJava } from './java.js';
import { fetchJars, partVersion, type Progress } from './maven.js';
import { startProgram, waitUntilReady } from './program.js';

const READY_DEADLINE_MS = 60_000;
const REQUEST_TIMEOUT_MS = 2_000;
const JVM = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Xshare:auto'];
/** Its own categories stand at INFO, every request among them. */
const QUIET = ['io.apicurio', 'io.quarkus'].map((category) => `-Dquarkus.log.category."${category}".level=WARN`);

export interface EmbeddedRegistry {
  /** Address of the Confluent API, `/apis/ccompat/v7` included: Confluent clients take it as it is. */
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export interface EmbeddedRegistryOptions {
  readonly dataDir: string;
  readonly port: number;
  /** Kafka that keeps the schemas; without it they stand in a file of the data folder. */
  readonly brokers?: string;
  readonly log: Log;
  /** Default: JARS_DIR of the environment, else `jars` in the data folder. */
  readonly jarsDir?: string;
  readonly progress?: Progress;
}

/**
 * A real Apicurio Registry on 127.0.0.1, ended when this process ends.
 * @throws TidemarkError REQUIREMENT_MISSING, DOWNLOAD_FAILED, PORT_TAKEN, PART_NOT_READY
 */
export async function startEmbeddedRegistry(options: EmbeddedRegistryOptions): Promise<EmbeddedRegistry> {
  const { port, brokers, log } = options;
  const dataDir = resolve(options.dataDir);
  const java = await requireJava();
  const folder = await fetchJars('registry', options.jarsDir ?? process.env['JARS_DIR'] ?? join(dataDir, 'jars'), options.progress);
  const jar = join(folder, `apicurio-registry-app-${partVersion('registry').slice('registry-'.length)}-runner.jar`);
  if (!existsSync(jar)) throw new TidemarkError('PART_NOT_READY', `registry: ${jar} is missing; delete ${folder} and start again`);

  options.progress?.('starting the schema registry');
  const started = Date.now();
  const archive = await classArchive(folder, java.build);
  const mark = `-Dtidemark.registry=${dataDir}`;
  const program = await startProgram({
    name: 'registry', command: java.command, args: [...archive.options, ...JVM, ...QUIET, mark, '-jar', jar], dataDir, mark,
    env: {
      QUARKUS_HTTP_HOST: LOOPBACK,
      QUARKUS_HTTP_PORT: String(port),
      QUARKUS_LOG_LEVEL: 'WARN',
      ...(brokers === undefined
        ? { APICURIO_STORAGE_KIND: 'sql', APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(dataDir, 'registry', 'schemas')};WRITE_DELAY=0` }
        : {
            APICURIO_STORAGE_KIND: 'kafkasql',
            APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: brokers,
            // The start waits this long for a snapshot that does not come; the journal has all, kept for ever.
            APICURIO_KAFKASQL_CONSUMER_POLL_TIMEOUT: '200',
            APICURIO_STORAGE_SNAPSHOT_LOCATION: `${dataDir}/`,
          }),
    },
    beforeStart: async () => {
      if (!(await isPortFree(port)))
        throw new TidemarkError('PORT_TAKEN', `registry: port ${port} on ${LOOPBACK} is taken; set SCHEMA_REGISTRY_PORT to another, or SCHEMA_REGISTRY_URL to use the registry that is there`, { details: { port, variable: 'SCHEMA_REGISTRY_PORT' } });
    },
  });
  void program.exited.then(archive.keep);
  const url = `http://${LOOPBACK}:${port}/apis/ccompat/v7`;
  // It answers requests before it has read its journal: an id would be unknown that is there a moment later.
  const isReady = async (): Promise<boolean> => await answers(`http://${LOOPBACK}:${port}/health/ready`) && answers(`${url}/subjects`);
  await waitUntilReady('registry', program, isReady, READY_DEADLINE_MS);
  log.info('registry_started', { url, pid: program.pid, took_ms: Date.now() - started });
  return { url, pid: program.pid, exited: program.exited, stop: () => program.stop() };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
