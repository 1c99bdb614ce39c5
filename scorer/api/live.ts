import { createConflation, type Conflation } from '../core/conflation.js';
import { wants, type Subscription } from '../core/subscription.js';
import type { Prediction } from '../store/prediction.js';
import type { Scored } from '../stream/score-records.js';

/** A connection as the hub needs it: it sends, and says how much of what it sent still waits. */
export interface LiveConnection {
  send(message: string): void;
  bufferedBytes(): number;
  /** Runs sends so that they leave together. */
  together(sends: () => void): void;
}

export interface LiveClient {
  readonly connection: LiveConnection;
  /** Null: no scores at all. */
  subscription: Subscription | null;
  /** Number of the last score that was meant for this client, sent or left out. */
  seq: number;
  readonly waiting: Conflation;
  /** True while the client's connection holds as much as it may: scores are conflated. */
  behind: boolean;
  outbox: string[];
}

export interface LiveHub {
  join(connection: LiveConnection, subscription: Subscription): LiveClient;
  subscribe(client: LiveClient, subscription: Subscription | null): void;
  leave(client: LiveClient): void;
  /** The client's connection took what was waiting. */
  drained(client: LiveClient): void;
  publish(committed: readonly Scored[]): void;
  readonly clients: number;
  /** Scores sent and scores left out, over all clients. */
  readonly counts: { sent: number; dropped: number };
}

export const BEHIND_BYTES = 64 * 1024;
const CAUGHT_UP_BYTES = 16 * 1024;
const WAITING_CUSTOMERS_MAX = 1000;

/**
 * Fans committed scores out. Each client has numbered messages and a bound on what waits for it; beyond the bound it
 * gets each customer's latest score once it reads again, after a notice of how many were left out.
 */
export function createLiveHub(read: (framed: Buffer) => Prediction): LiveHub {
  const clients = new Set<LiveClient>();
  /** Clients that want every customer are asked for each score, the others are found by customer. */
  const wide = new Set<LiveClient>();
  const byCustomer = new Map<string, Set<LiveClient>>();
  const counts = { sent: 0, dropped: 0 };

  function index(client: LiveClient): void {
    const { subscription } = client;
    if (subscription === null) return;
    if (subscription.customers === null) return void wide.add(client);
    for (const id of subscription.customers) {
      const set = byCustomer.get(id);
      if (set === undefined) byCustomer.set(id, new Set([client]));
      else set.add(client);
    }
  }
  function unindex(client: LiveClient): void {
    wide.delete(client);
    for (const id of client.subscription?.customers ?? []) {
      const set = byCustomer.get(id);
      if (set?.delete(client) === true && set.size === 0) byCustomer.delete(id);
    }
  }

  function offer(client: LiveClient, prediction: Prediction, body: string, touched: Set<LiveClient>): void {
    if (client.subscription === null || !wants(client.subscription, prediction.customer_id, prediction.score, prediction.prediction_id)) return;
    const message = `{"type":"score","seq":${++client.seq},${body}`;
    if (client.behind) return client.waiting.add(prediction.customer_id, message);
    client.outbox.push(message);
    touched.add(client);
  }

  function sendOutbox(client: LiveClient): void {
    const { outbox, connection } = client;
    client.outbox = [];
    connection.together(() => {
      for (const [i, message] of outbox.entries()) {
        if (connection.bufferedBytes() > BEHIND_BYTES) {
          client.behind = true;
          for (const late of outbox.slice(i)) client.waiting.add(customerOf(late), late);
          return;
        }
        connection.send(message);
        counts.sent++;
      }
    });
  }

  return {
    join(connection, subscription) {
      const client: LiveClient = { connection, subscription, seq: 0, waiting: createConflation(WAITING_CUSTOMERS_MAX), behind: false, outbox: [] };
      clients.add(client);
      index(client);
      return client;
    },
    subscribe(client, subscription) {
      unindex(client);
      client.subscription = subscription;
      index(client);
    },
    leave(client) {
      unindex(client);
      clients.delete(client);
    },
    drained(client) {
      if (!client.behind || client.connection.bufferedBytes() > CAUGHT_UP_BYTES) return;
      client.connection.together(() => {
        const dropped = client.waiting.takeDropped();
        counts.dropped += dropped;
        if (dropped > 0) client.connection.send(JSON.stringify({ type: 'gap', dropped, seq: client.seq }));
        while (client.connection.bufferedBytes() <= BEHIND_BYTES) {
          const message = client.waiting.next();
          if (message === undefined) {
            client.behind = false;
            return;
          }
          client.connection.send(message);
          counts.sent++;
        }
      });
    },
    publish(committed) {
      if (clients.size === 0) return;
      const touched = new Set<LiveClient>();
      for (const { customerId, prediction: framed } of committed) {
        const narrow = byCustomer.get(customerId);
        if (framed === null || (wide.size === 0 && narrow === undefined)) continue;
        const prediction = read(framed);
        const body = bodyOf(prediction);
        for (const client of wide) offer(client, prediction, body, touched);
        if (narrow !== undefined) for (const client of narrow) offer(client, prediction, body, touched);
      }
      for (const client of touched) sendOutbox(client);
    },
    get clients() { return clients.size; },
    counts,
  };
}

/** The message without its opening and number, made once for all clients; customer_id comes first. */
function bodyOf({ customer_id, prediction_id, event_id, event_time, scored_at, score, decision, model_version, trigger, degraded }: Prediction): string {
  return JSON.stringify({
    customer_id, prediction_id, event_id, event_time: new Date(event_time).toISOString(), scored_at: new Date(scored_at).toISOString(),
    score, decision, model_version, trigger, degraded,
  }).slice(1);
}

const customerOf = (message: string): string => (JSON.parse(message) as { customer_id: string }).customer_id;
