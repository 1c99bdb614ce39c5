import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { TidemarkError } from '../errors.js';
import { kafkajs } from '../kafka/kafkajs.js';
import type { Log } from '../log.js';
import { freePort, isListening, isPortFree, LOOPBACK } from '../ports.js';
import { classArchive } from './class-archive.js';
import { requireJava } from './java.js';
import { kafkaProperties } from './kafka-properties.js';
import { fetchJars, type Progress } from './maven.js';
import { startProgram, waitUntilReady } from './program.js';

const READY_DEADLINE_MS = 60_000;
/** A small heap with a collector of one thread: the broker shares the machine. Both compilers: once warm a request costs half. */
const JVM = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xshare:auto', '-Djava.awt.headless=true'];
/** Warnings and errors on standard error, which goes to logs/kafka.log. */
const LOGGING = ['defaultLogLevel=warn', 'showDateTime=true', 'dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS', 'showThreadName=false']
  .map((option) => `-Dorg.slf4j.simpleLogger.${option}`);

export interface EmbeddedKafka {
  readonly brokers: string;
  readonly pid: number;
  /** Resolves when the broker has ended by itself, with how. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export interface EmbeddedKafkaOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly log: Log;
  /** Default: JARS_DIR of the environment, else `jars` in the data folder. */
  readonly jarsDir?: string;
  readonly progress?: Progress;
}

/**
 * A real single-node Kafka on 127.0.0.1, its data in `kafka/` of the data folder; ready for groups and transactions when
 * this returns, and ended when this process ends.
 * @throws TidemarkError REQUIREMENT_MISSING, DOWNLOAD_FAILED, PORT_TAKEN, PART_NOT_READY
 */
export async function startEmbeddedKafka(options: EmbeddedKafkaOptions): Promise<EmbeddedKafka> {
  const { port, log } = options;
  const dataDir = resolve(options.dataDir);
  const java = await requireJava();
  const jars = await fetchJars('kafka', options.jarsDir ?? process.env['JARS_DIR'] ?? join(dataDir, 'jars'), options.progress);
  const mark = `-Dtidemark.kafka=${dataDir}`;
  const archive = await classArchive(jars, java.build);
  const base = [...JVM, mark, ...LOGGING, '-cp', `${jars}/*`];

  const folder = join(dataDir, 'kafka');
  await mkdir(folder, { recursive: true });
  const propertiesFile = join(folder, 'server.properties');
  await writeFile(propertiesFile, kafkaProperties(port, await freePort(), join(folder, 'data')));
  await formatOnce(java.command, [...archive.uses, ...base], folder, propertiesFile);

  options.progress?.('starting Kafka');
  const started = Date.now();
  const program = await startProgram({
    name: 'kafka', command: java.command, args: [...archive.options, ...base, 'kafka.Kafka', propertiesFile], dataDir, mark,
    beforeStart: () => requireFree(port),
  });
  void program.exited.then(archive.keep);
  const brokers = `${LOOPBACK}:${port}`;
  await waitUntilReady('Kafka', program, () => isListening(port), READY_DEADLINE_MS);
  await waitUntilReady('Kafka', program, () => warmUp(brokers).then(() => true, () => false), READY_DEADLINE_MS);
  log.info('kafka_started', { brokers, pid: program.pid, took_ms: Date.now() - started });
  return { brokers, pid: program.pid, exited: program.exited, stop: () => program.stop() };
}

async function requireFree(port: number): Promise<void> {
  if (!(await isPortFree(port)))
    throw new TidemarkError('PORT_TAKEN', `Kafka: port ${port} on ${LOOPBACK} is taken; set KAFKA_PORT to another, or KAFKA_BROKERS to use the broker that is there`, { details: { port, variable: 'KAFKA_PORT' } });
}

/** Formats the log folder the first time. A format that was cut short leaves no mark, and is done again from nothing. */
async function formatOnce(java: string, base: readonly string[], folder: string, propertiesFile: string): Promise<void> {
  const done = join(folder, 'formatted');
  if (existsSync(done)) return;
  await rm(join(folder, 'data'), { recursive: true, force: true });
  const tool = [...base, 'kafka.tools.StorageTool'];
  try {
    await promisify(execFile)(java, [...tool, 'format', '-t', 'dGlkZW1hcmstZW1iZWRkZQ', '-c', propertiesFile], { timeout: READY_DEADLINE_MS });
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    throw new TidemarkError('PART_NOT_READY', `Kafka: cannot format ${folder}: ${(stderr ?? '') + (stdout ?? '')}`.slice(0, 2000), { cause: error });
  }
  await writeFile(done, '');
}

/** The coordinators of groups and of transactions make their topics at their first use, which takes a second: done here, nobody meets it. */
async function warmUp(brokers: string): Promise<void> {
  const kafka = new kafkajs.Kafka({
    clientId: 'tidemark-start', brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, multiplier: 1.2, maxRetryTime: 300, retries: 30 },
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ transactionalId: 'tidemark-start', idempotent: true, maxInFlightRequests: 1 });
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    await Promise.all([
      admin.fetchOffsets({ groupId: 'tidemark-start' }),
      producer.transaction().then((transaction) => transaction.abort()),
    ]);
  } finally {
    await Promise.allSettled([admin.disconnect(), producer.disconnect()]);
  }
}
