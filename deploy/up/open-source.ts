import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { EventSource, Progress } from '../../stream-processors/sources/source.js';
import type { SourceChoice } from './options.js';
import { bar } from './screen.js';

/** Enough for a model that tells customers apart, few enough for a first score within a minute on a small machine. */
const CUSTOMERS = 1000;

/** Opens what the command line chose; undefined for none. */
export async function openSource(choice: SourceChoice, settings: Settings, log: Log, progress: (line: string) => void): Promise<EventSource | undefined> {
  if (choice.kind === 'none') return undefined;
  if (choice.kind === 'file') {
    const { openReplay } = await import('../../stream-processors/sources/replay/replay.js');
    const { kind, ...options } = choice;
    return openReplay({ ...options, onScan: (rows) => progress(`reading ${choice.file}: ${rows} rows`) }, settings, log);
  }
  const { openSimulation } = await import('../../stream-processors/sources/simulation.js');
  const { historyDays, rate, acceleration, customers = CUSTOMERS, seed, shiftDay, fault } = choice;
  return openSimulation({
    ...(historyDays === undefined ? {} : { historyDays }),
    ...(rate === undefined ? {} : { rate }),
    ...(acceleration === undefined ? {} : { acceleration }),
    ...(shiftDay === undefined ? {} : { shiftDay }),
    ...(fault === undefined ? {} : { fault }),
    parameters: { customers, ...(seed === undefined ? {} : { seed }) },
  }, settings, log);
}

/** What a source does now, on one line. */
export function sourceLine({ phase, published, total, event_time_ms }: Progress): string {
  const until = new Date(event_time_ms).toISOString().slice(0, 10);
  return `publishing ${phase === 'history' ? 'history' : 'live events'}: ${bar(published, total)}${published}${total === undefined ? '' : ` of ${total}`} events, until ${until}`;
}
