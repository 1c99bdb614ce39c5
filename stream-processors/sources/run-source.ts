import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { loadPosition, readBeyond, savePosition, type Beyond } from './position.js';
import { openPublisher } from './publisher.js';
import { Feed, pump } from './pump.js';
import type { Item } from './replay/items.js';
import type { EventSource, Phase, PhaseResult, Progress } from './source.js';

export interface SourceOptions {
  /** The same items in the same order whenever the same source is opened. */
  readonly blocks: AsyncIterable<Item[]> | Iterable<Item[]>;
  readonly stateFile: string;
  /** What tells this source from another under the same state file. */
  readonly source: Readonly<Record<string, unknown>>;
  readonly again: boolean;
  readonly historyUntilMs: number;
  readonly total?: number;
  /** Pace of the live part: wall-clock milliseconds (performance.now) at which an item is due. */
  readonly due?: (item: Item) => number;
}

/** A source that goes on after a restart where it was acknowledged, without a record lost or published twice. */
export async function runSource(options: SourceOptions, settings: Settings, log: Log): Promise<EventSource> {
  const { stateFile, historyUntilMs, total } = options;
  const source = JSON.parse(JSON.stringify(options.source)) as Record<string, unknown>; // as it will be read back
  const publisher = await openPublisher(settings, log);
  const blocks = Symbol.asyncIterator in options.blocks ? options.blocks[Symbol.asyncIterator]() : options.blocks[Symbol.iterator]();
  const feed = new Feed(blocks);
  let beyond: Beyond = new Map();
  let stopping = false;
  let running: Promise<unknown> = Promise.resolve();
  try {
    beyond = await resume();
  } catch (error) {
    await publisher.close();
    throw error;
  }
  save();

  async function resume(): Promise<Beyond> {
    const former = loadPosition(stateFile);
    if (former === undefined || options.again) return new Map();
    if (!isDeepStrictEqual(former.source, source)) {
      log.warn('source_changed', { was: former.source, is: source, effect: 'published from its beginning' });
      return new Map();
    }
    const found = await readBeyond(settings, log, former);
    if (found === undefined) {
      log.warn('topic_changed', { state: stateFile, effect: 'the topic does not hold what was published before: published from the beginning' });
      return new Map();
    }
    await feed.skip(former.items);
    log.info('source_resumed', { published: former.items, unacknowledged: [...found.values()].reduce((a, b) => a + b, 0) });
    return found;
  }

  function save(): void {
    savePosition(stateFile, { items: feed.taken, next_offsets: publisher.nextOffsets, source });
  }

  async function run(phase: Phase, onProgress?: (progress: Progress) => void): Promise<PhaseResult> {
    const before = feed.taken;
    const ended = await pump({
      feed, publisher, beyond,
      untilMs: phase === 'history' ? historyUntilMs : Infinity,
      ...(phase === 'live' && options.due !== undefined ? { due: options.due } : {}),
      stopped: () => stopping,
      onAcknowledged(lastTimeMs) {
        save();
        onProgress?.({ phase, published: feed.taken, total, event_time_ms: lastTimeMs });
      },
    });
    return { published: feed.taken - before, next_offsets: [...publisher.nextOffsets], ended };
  }

  const start = (phase: Phase, onProgress?: (progress: Progress) => void): Promise<PhaseResult> => {
    const result = run(phase, onProgress);
    running = result.catch(() => undefined);
    return result;
  };
  return {
    history_until_ms: historyUntilMs,
    history: (onProgress) => start('history', onProgress),
    live: (onProgress) => start('live', onProgress),
    async stop() {
      stopping = true;
      await running;
      await feed.close();
      await publisher.close();
    },
  };
}
