import { describeViolation, isViolation, readEvent } from '../../../schemas/events/read-event.js';
import type { CustomerEvent } from '../../../schemas/events/customer-event.js';
import { readRows, type EventFile, type FieldMap, type InputRow } from './rows.js';

/** One thing to publish: an event, or the bytes of a row that is none. */
export type Item =
  | { readonly time_ms: number; readonly line: number; readonly event: CustomerEvent }
  | { readonly time_ms: number; readonly line: number; readonly event: undefined; readonly customer_id: string | null; readonly raw: Buffer; readonly problem: string };

/** An event whose row names none gets its id when it is published, in time order; until then it has this one. */
const NO_ID = '-';

/**
 * The items of a file in its own order. A row that is no event travels beside its neighbours: it takes the time of the
 * last good row before it.
 * @param latestTimeMs the latest event_time taken
 */
export async function* readItems(file: EventFile, map: FieldMap, latestTimeMs: number): AsyncGenerator<Item[]> {
  let time = 0;
  for await (const rows of readRows(file, map)) {
    const items: Item[] = [];
    for (const row of rows) {
      const item = toItem(row, latestTimeMs, time);
      time = item.time_ms;
      items.push(item);
    }
    yield items;
  }
}

function toItem({ line, fields, raw }: InputRow, latestTimeMs: number, lastTimeMs: number): Item {
  if (fields === undefined) return { time_ms: lastTimeMs, line, event: undefined, customer_id: null, raw: Buffer.from(raw!), problem: 'expected a JSON object' };
  const named = fields['event_id'] !== undefined && fields['event_id'] !== null && fields['event_id'] !== '';
  const event = readEvent(named ? fields : { ...fields, event_id: NO_ID }, latestTimeMs);
  if (!isViolation(event)) {
    if (!named) event.event_id = '';
    return { time_ms: event.event_time, line, event };
  }
  const customer = fields['customer_id'];
  return {
    time_ms: lastTimeMs, line, event: undefined, problem: describeViolation(event, fields),
    customer_id: typeof customer === 'string' && customer !== '' && customer.length <= 1024 ? customer : null,
    raw: raw !== undefined ? Buffer.from(raw) : Buffer.from(JSON.stringify(fields)),
  };
}
