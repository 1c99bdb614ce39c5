import type { LedgerEntry } from '../../../schemas/events/ledger-entry.js';
import type { RetrainEvent } from '../../../schemas/events/retrain-event.js';

/**
 * The retrain events of a model that nobody has answered, oldest first. Events with the same dedupe_key are one retrain:
 * the first stands for all of them, and an answer to any of them is an answer to all.
 */
export function pendingEvents(events: readonly RetrainEvent[], entries: readonly LedgerEntry[], model: string): RetrainEvent[] {
  const answered = new Set(entries.filter((entry) => entry.model === model && entry.retrain_event_id !== '').map((entry) => entry.retrain_event_id));
  const first = new Map<string, RetrainEvent>();
  const done = new Set<string>();
  for (const event of events) {
    if (event.model !== model || event.decision !== 'retrain') continue;
    const key = keyOf(event);
    if (!first.has(key)) first.set(key, event);
    if (answered.has(event.event_id)) done.add(key);
  }
  return [...first].filter(([key]) => !done.has(key)).map(([, event]) => event);
}

/** An event without a key is only itself. */
const keyOf = ({ dedupe_key, event_id }: RetrainEvent): string => (dedupe_key === '' ? `id ${event_id}` : `key ${dedupe_key}`);
