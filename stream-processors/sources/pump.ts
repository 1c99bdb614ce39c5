import type { Publisher } from './publisher.js';
import type { Item } from './replay/items.js';
import { takeOne, type Beyond } from './position.js';

/** Items one after the other, read ahead in blocks. */
export class Feed {
  private block: readonly Item[] = [];
  private at = 0;
  /** Items taken since the beginning. */
  taken = 0;

  constructor(private readonly blocks: AsyncIterator<readonly Item[]> | Iterator<readonly Item[]>) {}

  /** The next item, where it is at hand. */
  get current(): Item | undefined { return this.block[this.at]; }

  take(): void {
    this.at++;
    this.taken++;
  }

  /** Reads on. @returns false at the end */
  async refill(): Promise<boolean> {
    while (this.at >= this.block.length) {
      const next = await this.blocks.next();
      if (next.done === true) return false;
      this.block = next.value;
      this.at = 0;
    }
    return true;
  }

  async skip(items: number): Promise<void> {
    while (this.taken < items && (await this.refill())) {
      const step = Math.min(items - this.taken, this.block.length - this.at);
      this.at += step;
      this.taken += step;
    }
  }

  async close(): Promise<void> {
    await this.blocks.return?.();
  }
}

export interface PumpOptions {
  readonly feed: Feed;
  readonly publisher: Publisher;
  /** What a former run sent beyond its position; emptied here. */
  readonly beyond: Beyond;
  /** Ends before the first item of this event time. */
  readonly untilMs: number;
  /** Wall-clock milliseconds (performance.now) at which an item is due; undefined: at once. */
  readonly due?: (item: Item) => number;
  /** Everything taken so far is acknowledged. */
  readonly onAcknowledged: (lastTimeMs: number) => void;
  readonly stopped: () => boolean;
}

const SLEEP_MS_MAX = 200;

/** Publishes items in order, each when it is due, in batches as large as what is due at once. @returns true at the end of the feed */
export async function pump({ feed, publisher, beyond, untilMs, due, onAcknowledged, stopped }: PumpOptions): Promise<boolean> {
  let lastTime = -Infinity;
  let unacknowledged = 0;
  const send = async (): Promise<void> => {
    if (publisher.pending > 0) await publisher.send();
    if (unacknowledged > 0) onAcknowledged(lastTime);
    unacknowledged = 0;
  };
  let ended = false;
  while (!stopped()) {
    if (feed.current === undefined && !(await feed.refill())) { ended = true; break; }
    const item = feed.current!;
    if (item.time_ms >= untilMs) break;
    if (due !== undefined) {
      const waitMs = due(item) - performance.now();
      if (waitMs > 0) {
        if (unacknowledged > 0) await send();
        else await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, SLEEP_MS_MAX)));
        continue;
      }
    }
    publish(publisher, item, beyond);
    feed.take();
    unacknowledged++;
    lastTime = item.time_ms;
    if (publisher.full) await send();
  }
  await send();
  return ended;
}

function publish(publisher: Publisher, item: Item, beyond: Beyond): void {
  const { event } = item;
  if (beyond.size > 0 && takeOne(beyond, event !== undefined ? publisher.encode(event) : item.raw)) return;
  if (event !== undefined) publisher.add(event);
  else publisher.addRaw(item.customer_id, item.raw);
}
