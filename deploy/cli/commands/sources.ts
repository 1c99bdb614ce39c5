import type { Command } from '../command.js';
import { FILE_OPTIONS, fileSource, SIMULATION_OPTIONS, simulationSource } from '../source-options.js';
import type { SourceChoice } from '../../up/options.js';

export const simulate: Command = {
  name: 'simulate',
  summary: 'Publish the events of simulated customers to customer-events',
  description: 'History at full speed, then live at the given rate until Ctrl-C. The same seed gives the same customers; a later run goes on where this one ended.',
  options: SIMULATION_OPTIONS,
  examples: [
    ['tidemark simulate --rate 500', 'beside tidemark up --no-source'],
    ['KAFKA_BROKERS=broker:9092 SCHEMA_REGISTRY_URL=http://registry:8081 tidemark simulate --customers 100000', 'on your own cluster'],
  ],
  run: (args) => publish(simulationSource(args)),
};

export const replay: Command = {
  name: 'replay',
  summary: 'Publish the events of a file to customer-events in event-time order',
  description: 'CSV or NDJSON, plain or .gz. Rows that are no events are published too: the processor files them among the dead letters with the reason. A run that was cut short goes on where it ended.',
  positionals: { usage: 'FILE', min: 1, max: 1 },
  options: FILE_OPTIONS,
  examples: [
    ['tidemark replay events.csv.gz', 'as fast as it goes'],
    ['tidemark replay events.ndjson --speed 86400 --map event_time=ts', 'a day a second'],
  ],
  run: (args) => publish({ ...fileSource(args, args.positionals[0] ?? ''), history: 0 } as SourceChoice),
};

/** Publishes both phases of a source one after the other, with its progress on one line. */
async function publish(choice: SourceChoice): Promise<number> {
  const [{ settingsOfRunning }, { Log }, { openSource, sourceLine }, { createScreen }] = await Promise.all([
    import('../../endpoints.js'), import('../../../runtime/log.js'), import('../../up/open-source.js'), import('../../up/screen.js'),
  ]);
  const settings = settingsOfRunning();
  const screen = createScreen(process.stdout);
  const log = new Log('source', 'warn', (line) => screen.say(line.trimEnd()));
  const source = await openSource(choice, settings, log, screen.progress);
  if (source === undefined) return 0;
  let stopped = false;
  const stop = (): void => {
    if (stopped) process.exit(130);
    stopped = true;
    void source.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  let published = 0;
  for (const phase of ['history', 'live'] as const) {
    if (stopped) break;
    published += (await source[phase]((state) => screen.progress(sourceLine(state)))).published;
  }
  if (!stopped) await source.stop();
  screen.say(`${published} events published`);
  return 0;
}
