import { createHash } from 'node:crypto';
import type { CustomerEvent } from '../../../schemas/events/customer-event.js';

/**
 * Ids for events that have none: a hash of what the event says, and a number that tells apart events which say exactly the
 * same, counted in file order among those of one event time. So an id does not depend on the file's name, on its other
 * rows or on the order of rows with different times, and the same row gets the same id in every replay.
 * Events must come in event-time order; only those of the current time are remembered.
 */
export function createIdDeriver(): (event: CustomerEvent) => string {
  const seen = new Map<string, number>();
  let time = NaN;
  return (event) => {
    if (event.event_time !== time) {
      seen.clear();
      time = event.event_time;
    }
    const properties = Object.entries(event.properties).sort(([a], [b]) => (a < b ? -1 : 1));
    const content = JSON.stringify([event.customer_id, event.event_type, event.amount, event.quantity, event.channel, event.event_time, properties]);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 24);
    const ordinal = seen.get(hash) ?? 0;
    seen.set(hash, ordinal + 1);
    return ordinal === 0 ? `r-${hash}` : `r-${hash}-${ordinal}`;
  };
}
