import type { Scored } from '../stream/score-records.js';
import { createConflation, type WaitingBudget } from './core/conflation.js';
import { createCrossingWatch, type Crossed, type CrossingWatch } from './core/crossing.js';
import { fits, type Filter, type Levels } from './core/filter.js';
import { positionOf, positionText } from './core/position.js';
import { createRing } from './core/ring.js';
import { createStandings } from './core/standings.js';
import { bytesOf, CAUGHT_UP_BYTES, labelOf, pump, type Feed, type LiveConnection } from './feed.js';
import { subscribedText } from './messages.js';
import { takeSnapshot } from './snapshot.js';
import type { Reading, Update } from './update.js';

/** A connection and its subscriptions by name; the empty name is the one that has none. */
export interface LiveClient {
  readonly connection: LiveConnection;
  readonly feeds: Map<string, Feed>;
  /** Answers that wait with everything else. */
  readonly notices: string[];
  /** True while something waits for the connection. */
  behind: boolean;
  /** The subscription that goes first when there is room again. */
  turn: number;
}

export interface Wish {
  readonly filter: Filter;
  /** Position of an earlier connection to go on from. */
  readonly since?: string | undefined;
  /** Most customers of the snapshot where the filter names none. */
  readonly snapshotRows: number;
}

export interface LiveHub {
  join(connection: LiveConnection): LiveClient;
  leave(client: LiveClient): void;
  /** Whether a subscription by this filter can begin: there is a bound on the crossings that are watched. */
  mayWatch(filter: Filter): boolean;
  /** Begins a subscription, or replaces the one of that name. @returns false where too many other crossings are watched */
  subscribe(client: LiveClient, name: string, wish: Wish): boolean;
  /** @returns false where there is none of that name */
  unsubscribe(client: LiveClient, name: string): boolean;
  /** An answer to the client, JSON text. @returns false where too many wait */
  notify(client: LiveClient, text: string): boolean;
  /** The client's connection took what was waiting. */
  drained(client: LiveClient): void;
  /** Scores that were committed. The store that `latest` reads must not have them yet: it knows the scores before. */
  publish(committed: readonly Scored[]): void;
  /** Scores that are in the store without having been published. */
  learn(customerId: string, score: number): void;
  /** Tells every client to connect again, and lets go of them. */
  closeAll(): void;
  clients(): Iterable<LiveClient>;
  readonly counts: LiveCounts;
  stats(): LiveStats;
}

export interface LiveCounts { sent: number; resumed: number; restarted: number; readonly budget: WaitingBudget }
export interface LiveStats {
  readonly clients: Readonly<Record<LiveConnection['transport'], number>>;
  readonly subscriptions: number;
  readonly behind: number;
  readonly ringBytes: number;
}

export interface LiveHubOptions {
  /** Name of this run of the scorer, lower-case letters and digits: positions of another run mean nothing to it. */
  readonly run: string;
  read(framed: Buffer): Reading;
  scoreOf(framed: Buffer): number;
  /** The latest prediction of a customer, framed. */
  latest(customerId: string): Buffer | undefined;
  readonly waitingBytesMax: number;
  readonly resumeBytesMax: number;
}

/** For all subscriptions together. */
const WAITING_TOTAL_BYTES_MAX = 256 * 1024 * 1024;
const STANDINGS_CUSTOMERS_MAX = 4000;
const CROSSINGS_MAX = 64;
const BETWEEN_CUSTOMERS_MAX = 100_000;
const NOTICES_MAX = 16;
/** What an update takes in the ring beside its frame, once it was read. */
const UPDATE_BYTES = 1500;
export const CLOSE = { restart: 1012, policy: 1008, idle: 1000 } as const;

/**
 * Fans committed scores out. Each subscription has numbered messages and a bound on the bytes that wait for it; beyond the
 * bound it gets each customer's latest score once its connection reads again, and the number of those left out.
 */
export function createLiveHub({ run, read, scoreOf, latest, waitingBytesMax, resumeBytesMax }: LiveHubOptions): LiveHub {
  const clients = new Set<LiveClient>();
  /** Subscriptions to every customer are asked for each score, the others are found by customer. */
  const wide = new Set<Feed>();
  const byCustomer = new Map<string, Set<Feed>>();
  const owner = new Map<Feed, LiveClient>();
  const watches = new Map<string, { readonly watch: CrossingWatch; users: number }>();
  const ring = createRing<Update>(resumeBytesMax);
  const standings = createStandings(STANDINGS_CUSTOMERS_MAX);
  const counts: LiveCounts = { sent: 0, resumed: 0, restarted: 0, budget: { bytes: 0, dropped: 0, bytesMax: WAITING_TOTAL_BYTES_MAX } };
  const position = (n: number): string => positionText(run, n);
  const countSent = (): void => void counts.sent++;
  const keyOf = ({ up, down }: Levels): string => `${up} ${down}`;
  const readingOf = (update: Update): Reading => update.reading ??= read(update.framed);

  function begin(client: LiveClient, feed: Feed): void {
    client.feeds.set(feed.name, feed);
    owner.set(feed, client);
    if (feed.filter.customers === null) return void wide.add(feed);
    for (const id of feed.filter.customers) {
      const set = byCustomer.get(id);
      if (set === undefined) byCustomer.set(id, new Set([feed]));
      else set.add(feed);
    }
  }
  function end(client: LiveClient, feed: Feed): void {
    client.feeds.delete(feed.name);
    owner.delete(feed);
    wide.delete(feed);
    for (const id of feed.filter.customers ?? []) {
      const set = byCustomer.get(id);
      if (set?.delete(feed) === true && set.size === 0) byCustomer.delete(id);
    }
    feed.waiting.clear();
    if (feed.filter.crossing === null) return;
    const key = keyOf(feed.filter.crossing);
    const shared = watches.get(key)!;
    if (--shared.users === 0) watches.delete(key);
  }

  function watchOf(levels: Levels): CrossingWatch {
    let shared = watches.get(keyOf(levels));
    if (shared === undefined) watches.set(keyOf(levels), shared = { watch: createCrossingWatch(levels, BETWEEN_CUSTOMERS_MAX), users: 0 });
    shared.users++;
    return shared.watch;
  }

  /** Which watches a score crosses; undefined where it crosses none. */
  function crossingsOf(customerId: string, score: number, scoredNow: Map<string, number>): Map<CrossingWatch, Crossed> | undefined {
    let found: Map<CrossingWatch, Crossed> | undefined;
    let previous = scoredNow.get(customerId);
    if (previous === undefined) {
      const framed = latest(customerId);
      previous = framed === undefined ? undefined : scoreOf(framed);
    }
    scoredNow.set(customerId, score);
    for (const { watch } of watches.values()) {
      const crossed = watch.step(customerId, previous, score);
      if (crossed !== undefined) (found ??= new Map()).set(watch, crossed);
    }
    return found;
  }

  function offer(feed: Feed, update: Update, crossings: Map<CrossingWatch, Crossed> | undefined, touched: Set<LiveClient>): void {
    const crossed = feed.watch === undefined ? undefined : crossings?.get(feed.watch);
    if (feed.watch !== undefined && crossed === undefined) return;
    if (!fits(feed.filter, readingOf(update).facts)) return;
    const client = owner.get(feed)!;
    const pending = { seq: ++feed.seq, crossed, update };
    if (client.behind) return feed.waiting.add(update.customerId, pending, bytesOf(feed, update));
    feed.outbox.push(pending);
    touched.add(client);
  }

  /** Sends what there is room for, the subscriptions in turn. */
  function flush(client: LiveClient): void {
    const { connection, notices } = client;
    if (client.behind && connection.bufferedBytes() > CAUGHT_UP_BYTES) return;
    connection.together(() => {
      for (let text = notices.shift(); text !== undefined; text = notices.shift()) connection.send(text, 'error');
      const feeds = [...client.feeds.values()];
      let behind = false;
      for (let i = 0, from = client.turn; i < feeds.length; i++) {
        const at = (from + i) % feeds.length;
        if (pump(feeds[at]!, connection, position, countSent)) continue;
        if (!behind) client.turn = at;
        behind = true;
      }
      client.behind = behind;
    });
  }

  /** Every score since a position once more, where all of them are still here. A crossing depends on scores further back. */
  function replay(feed: Feed, since: string): boolean {
    const n = positionOf(since, run);
    if (n === undefined || feed.watch !== undefined || !ring.holdsAfter(n)) return false;
    const { customers } = feed.filter;
    const touched = new Set<LiveClient>();
    for (const update of ring.after(n)) if (customers === null || customers.has(update.customerId)) offer(feed, update, undefined, touched);
    return true;
  }

  return {
    counts,
    clients: () => clients,
    mayWatch: ({ crossing }) => crossing === null || watches.size < CROSSINGS_MAX || watches.has(keyOf(crossing)),
    join(connection) {
      const client: LiveClient = { connection, feeds: new Map(), notices: [], behind: false, turn: 0 };
      clients.add(client);
      return client;
    },
    leave(client) {
      for (const feed of [...client.feeds.values()]) end(client, feed);
      clients.delete(client);
    },
    subscribe(client, name, { filter, since, snapshotRows }) {
      if (!this.mayWatch(filter)) return false;
      const watch = filter.crossing === null ? undefined : watchOf(filter.crossing);
      const former = client.feeds.get(name);
      if (former !== undefined) end(client, former);
      const feed: Feed = {
        name, label: labelOf(name), filter, watch, seq: former?.seq ?? 0, announce: undefined, missed: false,
        lost: former === undefined ? 0 : former.lost + former.waiting.takeDropped(),
        snapshot: undefined, waiting: createConflation(waitingBytesMax, counts.budget), outbox: [],
      };
      begin(client, feed);
      const resumed = since !== undefined && replay(feed, since);
      feed.announce = subscribedText(name, filter, resumed);
      feed.missed = since !== undefined && !resumed;
      if (resumed) counts.resumed++;
      else {
        if (since !== undefined) counts.restarted++;
        feed.snapshot = takeSnapshot(feed, position(ring.last), { standings, latest, read, rowsMax: snapshotRows });
      }
      client.behind = true;
      flush(client);
      return true;
    },
    unsubscribe(client, name) {
      const feed = client.feeds.get(name);
      if (feed === undefined) return false;
      end(client, feed);
      return true;
    },
    notify(client, text) {
      if (client.notices.length >= NOTICES_MAX) return false;
      client.notices.push(text);
      client.behind = true;
      flush(client);
      return true;
    },
    drained(client) {
      if (client.behind) flush(client);
    },
    publish(committed) {
      const touched = new Set<LiveClient>();
      const scoredNow = new Map<string, number>();
      for (const { customerId, prediction: framed } of committed) {
        if (framed === null) {
          standings.remove(customerId);
          scoredNow.set(customerId, Number.NaN);
          for (const { watch } of watches.values()) watch.forget(customerId);
          continue;
        }
        const score = scoreOf(framed);
        standings.set(customerId, score);
        const update: Update = { n: ring.last + 1, customerId, framed, reading: undefined };
        ring.push(update, framed.length + UPDATE_BYTES);
        const crossings = watches.size === 0 ? undefined : crossingsOf(customerId, score, scoredNow);
        for (const feed of wide) offer(feed, update, crossings, touched);
        for (const feed of byCustomer.get(customerId) ?? []) offer(feed, update, crossings, touched);
      }
      for (const client of touched) flush(client);
    },
    learn(customerId, score) {
      standings.set(customerId, score);
    },
    closeAll() {
      for (const { connection } of [...clients]) connection.close(CLOSE.restart, 'the scorer ends: connect again');
    },
    stats() {
      const stats = { clients: { websocket: 0, sse: 0 }, subscriptions: owner.size, behind: 0, ringBytes: ring.bytes };
      for (const { connection, behind } of clients) {
        stats.clients[connection.transport]++;
        if (behind) stats.behind++;
      }
      return stats;
    },
  };
}
