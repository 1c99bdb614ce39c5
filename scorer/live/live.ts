import { randomUUID } from 'node:crypto';
import type { Settings } from '../../runtime/settings.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { Problem } from '../api/problem.js';
import { scoreOfPrediction } from '../store/prediction.js';
import { createSeats } from './core/seats.js';
import { CLOSE, createLiveHub, type LiveClient, type LiveHub, type Wish } from './hub.js';
import { updateReader } from './update.js';

/** Live scores of a process: the hub, and who may connect to it. */
export interface Live {
  readonly hub: LiveHub;
  /** permessage-deflate for WebSocket. */
  readonly compression: boolean;
  /**
   * Takes a place for a connection.
   * @param identity the caller's name, or an address
   * @param wish what it subscribes to at once; null: nothing
   * @returns why there is no place
   */
  enter(identity: string, wish: Wish | null): Problem | undefined;
  leave(identity: string): void;
  /** A customer's latest prediction that is in the store without having been published. */
  learn(customerId: string, framed: Buffer): void;
  /** Connections that were refused. */
  readonly refused: Readonly<Record<'all' | 'identity' | 'ending', number>>;
  /** Sends every client away, to come again elsewhere or later, and takes no more. */
  end(): void;
}

export interface LiveOptions {
  readonly view: FeatureView;
  readonly settings: Pick<Settings, 'LIVE_CLIENTS_MAX' | 'LIVE_CLIENTS_PER_CALLER_MAX' | 'LIVE_WAITING_BYTES' | 'LIVE_RESUME_BYTES' | 'LIVE_COMPRESSION'>;
  latest(customerId: string): Buffer | undefined;
}

/** Connections that are subscribed to nothing are closed after one to two of these. */
const UNSUBSCRIBED_MS = 60_000;

export const CROSSINGS_FULL: Problem = { status: 503, code: 'PART_NOT_READY', detail: 'too many different crossings are watched; choose one that others watch', retryAfterS: 10 };

export function createLive({ view, settings, latest }: LiveOptions): Live {
  const hub = createLiveHub({
    run: randomUUID().replaceAll('-', '').slice(0, 12), read: updateReader(view), scoreOf: scoreOfPrediction, latest,
    waitingBytesMax: settings.LIVE_WAITING_BYTES, resumeBytesMax: settings.LIVE_RESUME_BYTES,
  });
  const seats = createSeats(settings.LIVE_CLIENTS_MAX, settings.LIVE_CLIENTS_PER_CALLER_MAX);
  const refused = { all: 0, identity: 0, ending: 0 };
  let ending = false;
  let unsubscribed = new Set<LiveClient>();
  const timer = setInterval(() => {
    for (const client of unsubscribed) if (client.feeds.size === 0) client.connection.close(CLOSE.idle, 'nothing is subscribed to');
    unsubscribed = new Set([...hub.clients()].filter(({ feeds }) => feeds.size === 0));
  }, UNSUBSCRIBED_MS).unref();

  return {
    hub, refused,
    compression: settings.LIVE_COMPRESSION,
    enter(identity, wish) {
      if (wish !== null && !hub.mayWatch(wish.filter)) return CROSSINGS_FULL;
      const full = ending ? 'ending' : seats.take(identity);
      if (full === undefined) return undefined;
      refused[full]++;
      if (full === 'ending') return { status: 503, code: 'PART_NOT_READY', detail: 'this scorer is about to end: connect again', retryAfterS: 1 };
      if (full === 'all') return { status: 503, code: 'PART_NOT_READY', detail: `${settings.LIVE_CLIENTS_MAX} live connections are open, which is the most (LIVE_CLIENTS_MAX)`, retryAfterS: 10 };
      return { status: 429, code: 'RATE_LIMITED', detail: `${settings.LIVE_CLIENTS_PER_CALLER_MAX} live connections of yours are open, which is the most (LIVE_CLIENTS_PER_CALLER_MAX): use one with several subscriptions`, retryAfterS: 10 };
    },
    learn: (customerId, framed) => hub.learn(customerId, scoreOfPrediction(framed)),
    leave: (identity) => seats.free(identity),
    end() {
      clearInterval(timer);
      ending = true;
      hub.closeAll();
    },
  };
}
