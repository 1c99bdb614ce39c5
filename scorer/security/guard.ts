import type { Log } from '../../runtime/log.js';
import type { Problem } from '../api/problem.js';
import type { Admission, Caller, Guard, GuardRequest } from '../api/route.js';
import { clientAddress, limitName, normalAddress } from './core/address.js';
import { commonHeaders } from './core/answer-headers.js';
import { type BucketOptions, Buckets } from './core/buckets.js';
import { type AllowedOrigins, corsHeaders, mayBrowse, preflightHeaders } from './core/origin.js';
import { presentedKey } from './core/presented.js';
import { policyItem, POLICY_FIELD, retryAfterS, STATE_FIELD, stateItem } from './core/rate-headers.js';
import { mayUse } from './core/roles.js';
import type { KeyStore } from './key-store.js';
import type { RefusalReason, SecurityMetrics } from './metrics.js';
import { createRefusalLog } from './refusal-log.js';

export interface GuardOptions {
  readonly keys: KeyStore;
  readonly tls: boolean;
  /** Origins of other pages than this server's own; undefined: none. */
  readonly origins: AllowedOrigins | undefined;
  readonly proxies: ReadonlySet<string>;
  /** Undefined: no limit. */
  readonly keyLimit: BucketOptions | undefined;
  readonly addressLimit: BucketOptions | undefined;
  readonly metrics: SecurityMetrics;
  readonly log: Log;
  /** Ms that never go back. */
  readonly monotonic: () => number;
  /** Time between two looks at what is open. */
  readonly lookMs: number;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Decides on requests: keys and roles, limits, and what pages of other origins may. Without any of them set it decides nothing. */
export function createGuard(options: GuardOptions): Guard & { stop(): void } {
  const { keys, tls, origins, proxies, metrics } = options;
  const common = commonHeaders(tls);
  const open: Admission = { headers: common };
  const byKey = limiterOf('key', options.keyLimit, metrics);
  const byAddress = limiterOf('address', options.addressLimit, metrics);
  const plain = origins === undefined && byAddress === undefined && byKey === undefined;
  const noteRefusal = createRefusalLog(options.log);
  const watching = new Set<{ readonly caller: Caller | undefined; readonly end: () => void }>();
  const looking = setInterval(() => {
    for (const watched of watching) {
      if (watched.caller === undefined ? !keys.on : keys.holds(watched.caller.id)) continue;
      watching.delete(watched);
      watched.end();
    }
  }, options.lookMs).unref();

  /** What a page of another origin could do without asking first: open a WebSocket, or send something that changes something. */
  const changesOrListens = ({ method, path }: GuardRequest['route']): boolean => path === '/ws' || method !== 'get';

  function decide(request: GuardRequest): Admission | Problem {
    const { route } = request;
    const origin = request.header('origin');
    const headers = origins === undefined ? [] : corsHeaders(origin, origins);
    const refuse = (reason: RefusalReason, problem: Problem): Problem => {
      metrics.refused(reason);
      noteRefusal(reason, { method: route.method, path: route.path, address: addressOf(request) });
      return { ...problem, headers: [...headers, ...(problem.headers ?? [])] };
    };
    if (changesOrListens(route) && !mayBrowse({ origin, host: request.header('host') }, origins, !keys.on)) return refuse('origin', FOREIGN);
    if (route.role === 'public') return { headers: [...common, ...headers] };

    const limits: string[] = [];
    if (byAddress !== undefined && !byAddress.take(limitName(addressOf(request)), options.monotonic(), limits)) return refuse('address_rate', tooMany(byAddress, limits, 'this address'));
    let caller: Caller | undefined;
    if (keys.on) {
      const text = presentedKey(request.header);
      const key = text === undefined ? undefined : keys.verify(text);
      if (key === undefined) return refuse('unauthenticated', text === undefined ? NO_KEY : WRONG_KEY);
      metrics.keyUsed(key.id);
      if (byKey !== undefined && !byKey.take(key.id, options.monotonic(), limits)) return refuse('key_rate', tooMany(byKey, limits, 'this key'));
      if (!mayUse(key.role, route.role)) return refuse('forbidden', { status: 403, code: 'FORBIDDEN', detail: `this key has the role ${key.role}, ${route.path} asks for ${route.role}` });
      caller = { id: key.id, name: key.name, role: key.role };
    }
    return { ...(caller === undefined ? {} : { caller }), headers: [...common, ...headers, ...limits] };
  }

  function addressOf(request: GuardRequest): string {
    const peer = normalAddress(request.address()) ?? '';
    return proxies.size === 0 ? peer : clientAddress(peer, request.header('x-forwarded-for'), proxies);
  }

  return {
    common,
    // With nothing set the hot path is this one comparison; /predict is no way to harm anyone from a page.
    admit: (request) => (plain && !keys.on && (!changesOrListens(request.route) || request.route.path === '/predict') ? open : decide(request)),
    watch(caller, end) {
      const watched = { caller, end };
      watching.add(watched);
      return () => watching.delete(watched);
    },
    stop: () => clearInterval(looking),
    address: addressOf,
    ...(origins === undefined ? {} : { preflight: (origin: string) => preflightHeaders(origin, METHODS, origins) }),
  };
}

const CHALLENGE = ['www-authenticate', 'Bearer realm="tidemark"'];
const NO_KEY: Problem = {
  status: 401, code: 'UNAUTHENTICATED', headers: CHALLENGE,
  detail: 'this scorer asks for a key: send it as Authorization: Bearer KEY or x-api-key: KEY, a WebSocket as the subprotocols tidemark.v1 and tidemark.key.KEY; never in the address',
};
const WRONG_KEY: Problem = {
  status: 401, code: 'UNAUTHENTICATED', detail: 'the key is not known here, has expired or was revoked',
  headers: ['www-authenticate', 'Bearer realm="tidemark", error="invalid_token"'],
};
const FOREIGN: Problem = { status: 403, code: 'FORBIDDEN', detail: 'a page of another origin may not do this: SCORER_CORS_ORIGINS names those that may' };

interface Limiter {
  /** Adds the fields of the answer. */
  take(name: string, nowMs: number, fields: string[]): boolean;
  readonly buckets: Buckets;
}

function limiterOf(name: 'key' | 'address', limit: BucketOptions | undefined, metrics: SecurityMetrics): Limiter | undefined {
  if (limit === undefined) return undefined;
  const buckets = new Buckets(limit);
  metrics.watchBuckets(name, buckets);
  const policy = policyItem(name, limit);
  return {
    buckets,
    take(who, nowMs, fields) {
      const taken = buckets.take(who, nowMs);
      fields.push(POLICY_FIELD, policy, STATE_FIELD, stateItem(name, buckets));
      return taken;
    },
  };
}

const tooMany = ({ buckets }: Limiter, fields: readonly string[], whose: string): Problem => ({
  status: 429, code: 'RATE_LIMITED', retryAfterS: retryAfterS(buckets), headers: fields,
  detail: `${whose} asks more often than it may; ratelimit-policy says how often that is`,
});
