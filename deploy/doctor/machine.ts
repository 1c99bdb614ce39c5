import { existsSync } from 'node:fs';
import { mkdir, statfs, unlink, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { TidemarkError } from '../../runtime/errors.js';
import { requireJava, requireMaven } from '../../runtime/embedded/java.js';
import { isFetched, jarsFolder, type JarPart } from '../../runtime/embedded/maven.js';
import type { Settings } from '../../runtime/settings.js';
import { type Check, fail, type Finding, ok, warn } from './check.js';

const GIB = 1024 ** 3;
const DISK_FREE_MIN = 2 * GIB;
const MEMORY_MIN = 3 * GIB;

const usesJava = (settings: Settings): boolean => settings.KAFKA_BROKERS === undefined || settings.SCHEMA_REGISTRY_URL === undefined;

/** The jars that this configuration runs on. */
export function neededJars(settings: Settings): JarPart[] {
  return [
    ...(settings.KAFKA_BROKERS === undefined ? ['kafka' as const] : []),
    ...(settings.SCHEMA_REGISTRY_URL === undefined ? ['registry' as const] : []),
    ...(settings.XGBOOST_LIBRARY === undefined ? ['xgboost' as const] : []),
  ];
}

/** The finding of a requirement whose error says what is wrong and, after the last colon, the fix. */
async function required(find: () => Promise<string>): Promise<Finding> {
  try {
    return ok(await find());
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    const cut = error.message.indexOf(': install');
    return cut < 0 ? fail(error.message, 'see the message') : fail(error.message.slice(0, cut), error.message.slice(cut + 2));
  }
}

export const java: Check = {
  name: 'Java', quick: true, applies: usesJava,
  run: () => required(async () => {
    const { command, major } = await requireJava();
    return `${major} (${command}), for the embedded Kafka and registry`;
  }),
};

export const jars: Check = {
  name: 'jars', quick: true, applies: (settings) => neededJars(settings).length > 0,
  async run(settings) {
    const folder = jarsFolder(settings);
    const missing = neededJars(settings).filter((part) => !isFetched(part, folder));
    if (missing.length === 0) return ok(`all in ${folder}`);
    return required(async () => `${missing.join(', ')} to be fetched into ${folder} through Maven ${(await requireMaven()).version}`);
  },
};

export const disk: Check = {
  name: 'disk', quick: true, applies: () => true,
  async run(settings) {
    const folder = resolve(settings.DATA_DIR);
    try {
      await mkdir(folder, { recursive: true });
      const probe = join(folder, `.write-test-${process.pid}`);
      await writeFile(probe, '');
      await unlink(probe);
    } catch (error) {
      return fail(`cannot write to ${folder}: ${(error as NodeJS.ErrnoException).code}`, 'set DATA_DIR to a folder you may write');
    }
    let at = folder;
    while (!existsSync(at)) at = dirname(at);
    const { bavail, bsize } = await statfs(at);
    const free = bavail * bsize;
    const detail = `${(free / GIB).toFixed(1)} GiB free for ${folder}`;
    return free < DISK_FREE_MIN ? fail(detail, 'free at least 2 GiB, or set DATA_DIR to a larger disk') : ok(detail);
  },
};

export const memory: Check = {
  name: 'memory', quick: false, applies: () => true,
  async run() {
    const detail = `${(totalmem() / GIB).toFixed(1)} GiB, ${availableParallelism()} cores`;
    return totalmem() < MEMORY_MIN ? warn(detail, 'with all parts embedded about 3 GiB are wanted: use a larger machine, or your own Kafka or ClickHouse') : ok(detail);
  },
};
