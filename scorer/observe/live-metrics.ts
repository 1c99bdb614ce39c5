import { Counter, Gauge, type Registry } from 'prom-client';
import type { Live } from '../live/live.js';

/** Metrics of live connections, looked up when they are read. */
export function watchLive(registers: Registry[], { hub, refused }: Live): void {
  const gauge = (name: string, help: string, read: () => number): Gauge => new Gauge({ name, help, registers, collect() { this.set(read()); } });
  const total = (name: string, help: string, labelNames: string[], read: () => readonly (readonly [Record<string, string>, number])[]): Counter =>
    new Counter({ name, help, labelNames, registers, collect() { this.reset(); for (const [labels, value] of read()) this.inc(labels, value); } });

  new Gauge({
    name: 'tidemark_scorer_live_clients', help: 'Live connections.', labelNames: ['transport'], registers,
    collect() { for (const [transport, count] of Object.entries(hub.stats().clients)) this.set({ transport }, count); },
  });
  gauge('tidemark_scorer_live_subscriptions', 'Subscriptions of live connections.', () => hub.stats().subscriptions);
  gauge('tidemark_scorer_live_behind_clients', 'Live connections that something waits for.', () => hub.stats().behind);
  gauge('tidemark_scorer_live_waiting_bytes', 'Bytes of scores that wait for live connections.', () => hub.counts.budget.bytes);
  gauge('tidemark_scorer_live_resume_bytes', 'Memory held for connections that come back.', () => hub.stats().ringBytes);
  total('tidemark_scorer_live_sent_total', 'Scores sent to live connections.', [], () => [[{}, hub.counts.sent]]);
  total('tidemark_scorer_live_dropped_total', 'Scores that live connections were too slow for.', [], () => [[{}, hub.counts.budget.dropped]]);
  total('tidemark_scorer_live_resumed_total', 'Connections that asked to go on: from where they were, or anew with a snapshot.', ['how'], () => [[{ how: 'replayed' }, hub.counts.resumed], [{ how: 'snapshot' }, hub.counts.restarted]]);
  total('tidemark_scorer_live_refused_total', 'Live connections refused: all places taken, those of the caller, or the scorer ends.', ['reason'], () => Object.entries(refused).map(([reason, count]) => [{ reason }, count] as const));
}
