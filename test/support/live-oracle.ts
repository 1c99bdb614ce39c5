import type { Filter } from '../../scorer/live/core/filter.js';
import { fits } from '../../scorer/live/core/filter.js';
import type { LiveConnection } from '../../scorer/live/feed.js';
import { updateReader, type Reading } from '../../scorer/live/update.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';

/** What a subscriber of live scores must receive, found the slow way: every score against every condition, all of it kept. */

export type Received = Record<string, unknown> & { type: string };

/** A connection whose reader takes as many bytes as the test says. */
export class SlowConnection implements LiveConnection {
  readonly transport = 'websocket';
  readonly received: Received[] = [];
  closed: number | undefined;
  mostBuffered = 0;
  private readonly queue: string[] = [];
  private buffered = 0;

  send(text: string): void {
    this.queue.push(text);
    this.buffered += Buffer.byteLength(text);
    this.mostBuffered = Math.max(this.mostBuffered, this.buffered);
  }
  bufferedBytes(): number { return this.buffered; }
  together(sends: () => void): void { sends(); }
  close(code: number): void { this.closed = code; }
  /** @returns whether anything was there to read */
  read(bytes: number): boolean {
    let left = bytes;
    const before = this.queue.length;
    while (this.queue.length > 0 && left > 0) {
      const text = this.queue.shift()!;
      left -= Buffer.byteLength(text);
      this.buffered -= Buffer.byteLength(text);
      this.received.push(JSON.parse(text) as Received);
    }
    return before > 0;
  }
}

const read = updateReader(view);

/** Every customer's latest score, and on which side of two levels each stands. */
export class Shop {
  readonly latest = new Map<string, Reading>();
  private readonly levels = new Map<string, { users: number; up: number; down: number; above: Set<string> }>();

  watch({ crossing }: Filter): void {
    if (crossing === null) return;
    const key = JSON.stringify(crossing);
    const found = this.levels.get(key) ?? { users: 0, ...crossing, above: new Set([...this.latest].filter(([, { facts }]) => facts.score >= crossing.up).map(([id]) => id)) };
    found.users++;
    this.levels.set(key, found);
  }
  unwatch({ crossing }: Filter): void {
    const found = this.levels.get(JSON.stringify(crossing));
    if (found !== undefined && --found.users === 0) this.levels.delete(JSON.stringify(crossing));
  }
  isAbove(id: string, { crossing }: Filter): boolean {
    return this.levels.get(JSON.stringify(crossing))!.above.has(id);
  }
  /** @returns by levels, who crossed them now */
  commit(framed: Buffer): { reading: Reading; crossed: Map<string, 'up' | 'down'> } {
    const reading = read(framed);
    const { customerId: id, score } = reading.facts;
    const crossed = new Map<string, 'up' | 'down'>();
    for (const [key, { up, down, above }] of this.levels) {
      if (score >= up && !above.has(id)) crossed.set(key, 'up');
      if (score < down && above.has(id)) crossed.set(key, 'down');
      if (score >= up) above.add(id);
      if (score < down) above.delete(id);
    }
    this.latest.set(id, reading);
    return { reading, crossed };
  }
  /** What a snapshot must have: of the customers named, or the highest. */
  snapshot(filter: Filter, rowsMax: number): string[] {
    const rows = [...this.latest].filter(([id, { facts }]) => fits(filter, facts) && (filter.crossing === null || this.isAbove(id, filter))).map(([, { facts }]) => facts);
    const order = rows.sort((a, b) => b.score - a.score).map(({ predictionId }) => predictionId);
    return filter.customers === null ? order.slice(0, rowsMax) : order;
  }
}

/** Whether a committed score is meant for a filter. @returns undefined where it is not */
export function meantFor(filter: Filter, { reading, crossed }: ReturnType<Shop['commit']>): { prediction_id: string; crossed?: string } | undefined {
  const side = filter.crossing === null ? undefined : crossed.get(JSON.stringify(filter.crossing));
  if (!fits(filter, reading.facts) || (filter.crossing !== null && side === undefined)) return undefined;
  return { prediction_id: reading.facts.predictionId, ...(side === undefined ? {} : { crossed: side }) };
}
