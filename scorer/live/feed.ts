import type { Conflation } from './core/conflation.js';
import type { Crossed, CrossingWatch } from './core/crossing.js';
import type { Filter } from './core/filter.js';
import type { LiveMessage } from './messages.js';
import type { Update } from './update.js';

export type EventName = LiveMessage['type'];

/** A connection as the hub needs it: it sends, and says how much of what it sent still waits. */
export interface LiveConnection {
  readonly transport: 'websocket' | 'sse';
  /** @param id position to resume from after this message; undefined where it is none */
  send(text: string, event: EventName, id?: string): void;
  bufferedBytes(): number;
  /** Runs sends so that they leave together. */
  together(sends: () => void): void;
  close(code: number, reason: string): void;
}

/** A score that was meant for a feed and not sent yet. */
export interface Pending {
  readonly seq: number;
  readonly crossed: Crossed | undefined;
  readonly update: Update;
}

/** Rows that tell a new subscriber how things stand, made as the connection takes them. */
export interface Snapshot {
  /** The next row's JSON from the customer's id on; undefined at the end. */
  next(): string | undefined;
  readonly rows: number;
  /** Where the feed stands when it has the snapshot. */
  readonly position: string;
}

/** One subscription of a connection. */
export interface Feed {
  readonly name: string;
  /** The subscription's name as messages carry it; nothing where it has none. */
  readonly label: string;
  readonly filter: Filter;
  readonly watch: CrossingWatch | undefined;
  /** Number of the last score that was meant for this subscription, sent or left out. */
  seq: number;
  /** What was confirmed and not said yet. */
  announce: string | undefined;
  /** True where it is not known what was missed since the position that the client asked to go on from. */
  missed: boolean;
  /** Scores left out by the subscription that this one replaced. */
  lost: number;
  snapshot: Snapshot | undefined;
  readonly waiting: Conflation<Pending>;
  /** Scores of the batch under way. */
  outbox: Pending[];
}

/** Most bytes that wait in a connection before its scores are conflated, and from where on it takes more again. */
export const BEHIND_BYTES = 64 * 1024;
export const CAUGHT_UP_BYTES = 16 * 1024;
/** What a message has beside the update's own bytes, at most: type, seq, crossed, id. */
const HEAD_BYTES = 128;

export const labelOf = (name: string): string => (name === '' ? '' : `"subscription":${JSON.stringify(name)},`);

export const bytesOf = (feed: Feed, update: Update): number => (update.reading?.bytes ?? 0) + feed.label.length + HEAD_BYTES;

/**
 * Sends what a feed has to say, in order, as long as the connection has room: the confirmation, what is missing, the
 * snapshot, what waited, the batch under way. What does not fit waits, conflated.
 * @returns false where something is left
 */
export function pump(feed: Feed, connection: LiveConnection, position: (n: number) => string, sent: () => void): boolean {
  const hasRoom = (): boolean => connection.bufferedBytes() <= BEHIND_BYTES;
  const gap = (dropped: number | null): void => connection.send(`{"type":"gap",${feed.label}"dropped":${dropped},"seq":${feed.seq}}`, 'gap');
  const score = ({ seq, crossed, update }: Pending): void => {
    const id = position(update.n);
    connection.send(`{"type":"score",${feed.label}"seq":${seq},"id":"${id}",${crossed === undefined ? '' : `"crossed":"${crossed}",`}${update.reading!.body}`, 'score', id);
    sent();
  };

  if (feed.announce !== undefined) {
    if (!hasRoom()) return false;
    connection.send(feed.announce, 'subscribed');
    feed.announce = undefined;
    if (feed.missed) gap(null);
    feed.missed = false;
  }
  for (let { snapshot } = feed; snapshot !== undefined;) {
    if (!hasRoom()) return false;
    const row = snapshot.next();
    if (row !== undefined) {
      connection.send(`{"type":"snapshot",${feed.label}${row}`, 'snapshot');
      continue;
    }
    connection.send(`{"type":"live",${feed.label}"id":"${snapshot.position}","rows":${snapshot.rows}}`, 'live', snapshot.position);
    feed.snapshot = snapshot = undefined;
  }
  const dropped = feed.lost + feed.waiting.takeDropped();
  feed.lost = 0;
  if (dropped > 0) gap(dropped);
  while (feed.waiting.size > 0) {
    if (!hasRoom()) return false;
    score(feed.waiting.next()!);
  }
  const { outbox } = feed;
  if (outbox.length === 0) return true;
  feed.outbox = [];
  for (const [i, pending] of outbox.entries()) {
    if (!hasRoom()) {
      for (const late of outbox.slice(i)) feed.waiting.add(late.update.customerId, late, bytesOf(feed, late.update));
      return false;
    }
    score(pending);
  }
  return true;
}
