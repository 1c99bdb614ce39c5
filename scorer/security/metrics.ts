import { Counter, Gauge, type Registry } from 'prom-client';
import type { Buckets } from './core/buckets.js';

export type RefusalReason = 'unauthenticated' | 'forbidden' | 'origin' | 'key_rate' | 'address_rate' | 'connections';

export interface SecurityMetrics {
  refused(reason: RefusalReason): void;
  keyUsed(id: string): void;
  watchBuckets(by: 'key' | 'address', buckets: Buckets): void;
  connections(read: () => number): void;
  certificate(expiresAtMs: number): void;
  audit(read: () => { readonly waiting: number; readonly dropped: number }): void;
}

export function createSecurityMetrics(register: Registry): SecurityMetrics {
  const registers = [register];
  const refused = new Counter({ name: 'tidemark_scorer_refused_total', help: 'Requests and connections that were refused.', labelNames: ['reason'], registers });
  const used = new Counter({ name: 'tidemark_scorer_key_requests_total', help: 'Requests by the id of their key.', labelNames: ['key'], registers });
  const watched = new Map<string, Buckets>();
  const gauge = (name: string, help: string, read: () => number): Gauge => new Gauge({ name, help, registers, collect() { this.set(read()); } });
  const total = (name: string, help: string, read: () => number): Counter => new Counter({ name, help, registers, collect() { this.reset(); this.inc(read()); } });
  const expiry = { at: NaN };
  return {
    refused: (reason) => refused.inc({ reason }),
    keyUsed: (key) => used.inc({ key }),
    watchBuckets(by, buckets) {
      if (watched.size === 0) {
        new Gauge({ name: 'tidemark_scorer_rate_buckets', help: 'Keys and addresses whose rate is remembered.', labelNames: ['by'], registers, collect() { for (const [name, { size }] of watched) this.set({ by: name }, size); } });
        new Counter({ name: 'tidemark_scorer_rate_buckets_forgotten_total', help: 'Those that were forgotten before they had all their requests back.', labelNames: ['by'], registers, collect() { this.reset(); for (const [name, { forgotten }] of watched) this.inc({ by: name }, forgotten); } });
      }
      watched.set(by, buckets);
    },
    connections: (read) => void gauge('tidemark_scorer_connections', 'Open connections.', read),
    certificate(expiresAtMs) {
      if (Number.isNaN(expiry.at)) gauge('tidemark_scorer_certificate_expires_seconds', 'When the certificate in use expires, seconds since 1970.', () => expiry.at / 1000);
      expiry.at = expiresAtMs;
    },
    audit(read) {
      gauge('tidemark_scorer_audit_waiting', 'Entries of the audit log that ClickHouse does not have yet.', () => read().waiting);
      total('tidemark_scorer_audit_dropped_total', 'Entries that only the log has: too many waited.', () => read().dropped);
    },
  };
}
