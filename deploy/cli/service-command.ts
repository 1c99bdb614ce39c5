import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { Command } from './command.js';

export type StartService = (settings: Settings, log: Log, fail: (error: unknown) => void) => Promise<Stoppable>;

/** A subcommand that runs one service until it is told to stop, its log on standard output. */
export function serviceCommand(options: {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly load: () => Promise<StartService>;
}): Command {
  const { name, summary, description, load } = options;
  return {
    name, summary, description,
    options: {},
    examples: [
      [`tidemark ${name}`, 'beside a running tidemark up on the same DATA_DIR, or with KAFKA_BROKERS, SCHEMA_REGISTRY_URL and CLICKHOUSE_URL set'],
      [`LOG_LEVEL=debug tidemark ${name}`, 'says more'],
    ],
    async run() {
      const [{ settingsOfRunning }, { Log }, { runService }] = await Promise.all([
        import('../endpoints.js'), import('../../runtime/log.js'), import('../../runtime/lifecycle.js'),
      ]);
      const settings = settingsOfRunning();
      const log = new Log(name, settings.LOG_LEVEL);
      return runService(log, async (fail) => (await loaded(name, load))(settings, log, fail));
    },
  };
}

/** Packages with binaries of their own do not load on every machine: what fails first says so and where to look. */
const loaded = (name: string, load: () => Promise<StartService>): Promise<StartService> => load().catch((error: unknown) => {
  throw new TidemarkError('REQUIREMENT_MISSING', `the ${name} does not load: ${messageOf(error).split('\n')[0]}; tidemark doctor says what is missing`, { cause: error });
});
