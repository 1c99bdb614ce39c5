import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { TidemarkError } from '../../../runtime/errors.js';
import type { Log } from '../../../runtime/log.js';
import type { Settings } from '../../../runtime/settings.js';
import { runSource } from '../run-source.js';
import type { EventSource } from '../source.js';
import { createIdDeriver } from './derived-id.js';
import { readItems, type Item } from './items.js';
import { openEventFile, type FieldMap } from './rows.js';
import { scanFile, type FileScan } from './scan.js';
import { sortItems } from './sort.js';

export interface ReplayOptions {
  readonly file: string;
  readonly map?: FieldMap;
  /** Share of the file's time range, from its beginning, that is history; 0 to 1. */
  readonly history?: number;
  /** Live part: event time per wall-clock time; undefined: full speed. */
  readonly speed?: number;
  /** Publishes from the beginning though a former run has published some or all of it. */
  readonly again?: boolean;
  /** Rows read in the first pass, for a display. */
  readonly onScan?: (rows: number) => void;
}

export interface Replay extends EventSource {
  readonly scan: FileScan;
}

/**
 * Opens a file for replay through customer-events in event-time order. A first pass checks every row and finds the time
 * range; memory stays bounded for any file. Rows that are no events are published as they stand, beside their neighbours:
 * the feature processor files them among the dead letters with the reason.
 * @throws TidemarkError INPUT_INVALID when the file cannot be read or holds no event
 */
export async function openReplay(options: ReplayOptions, settings: Settings, log: Log): Promise<Replay> {
  const { map = {}, history = 0.6, speed } = options;
  if (!(history >= 0 && history <= 1)) throw new TidemarkError('INPUT_INVALID', `--history: got ${history}, expected a share of the time range from 0 to 1`);
  if (speed !== undefined && !(speed > 0)) throw new TidemarkError('INPUT_INVALID', `--speed: got ${speed}, expected a number above 0 (times real time)`);
  const file = await openEventFile(resolve(options.file));
  const latestTimeMs = Date.now() + settings.EVENT_TIME_MAX_AHEAD_S * 1000;
  const scan = await scanFile(file, map, latestTimeMs, options.onScan);
  if (scan.events === 0)
    throw new TidemarkError('INPUT_INVALID', `events file ${file.path}: none of ${scan.bad_rows} rows is an event` +
      scan.bad_examples.slice(0, 1).map(({ line, problem }) => `; line ${line}: ${problem}`).join(''));
  if (scan.bad_rows > 0) log.warn('bad_rows', { file: file.path, count: scan.bad_rows, first: scan.bad_examples });

  const folder = join(settings.DATA_DIR, 'sources');
  const inFileOrder = readItems(file, map, latestTimeMs);
  const items = withIds(scan.sorted ? inFileOrder : sortItems(inFileOrder, folder));
  const untilMs = history === 1 ? Infinity : scan.from_ms + history * (scan.to_ms - scan.from_ms);
  const identity = { file: file.path, size_bytes: file.size_bytes, modified_ms: file.modified_ms, map };
  let startedAt: number | undefined;
  let firstTime = 0;
  const source = await runSource({
    blocks: items,
    stateFile: join(folder, `replay-${createHash('sha256').update(file.path).digest('hex').slice(0, 16)}.json`),
    source: identity,
    again: options.again ?? false,
    historyUntilMs: untilMs,
    total: scan.events + scan.bad_rows,
    ...(speed === undefined ? {} : {
      due(item: Item) {
        if (startedAt === undefined) [startedAt, firstTime] = [performance.now(), item.time_ms];
        return startedAt + (item.time_ms - firstTime) / speed;
      },
    }),
  }, settings, log);
  return { ...source, scan };
}

/** Gives the events without an id theirs; they are in event-time order here. */
async function* withIds(blocks: AsyncIterable<Item[]>): AsyncGenerator<Item[]> {
  const derive = createIdDeriver();
  for await (const items of blocks) {
    for (const { event } of items) if (event !== undefined && event.event_id === '') event.event_id = derive(event);
    yield items;
  }
}
