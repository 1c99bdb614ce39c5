import { checkEvent, EVENT_RULES, type Violation } from './check-event.js';
import type { CustomerEvent } from './customer-event.js';
import { parseIsoTime } from './iso-time.js';

export const EVENT_TIME_INPUT_RULE = `${EVENT_RULES.event_time}, or ISO 8601 with zone`;
export const PROPERTIES_INPUT_RULE = 'an object of strings, or null';

/**
 * An event from an object of plain JSON: numbers are numbers and not strings of digits, event_time is epoch milliseconds or
 * ISO 8601 with zone, amount, quantity, channel ("web") and properties may be left out or null. Keys that are not an
 * event's are ignored; of a key given twice the last one counts, as JSON.parse has it.
 * @param latestTimeMs see checkEvent
 */
export function readEvent(input: Readonly<Record<string, unknown>>, latestTimeMs: number): CustomerEvent | Violation {
  const given = input['event_time'];
  const time = typeof given === 'string' ? parseIsoTime(given) : given;
  const properties = input['properties'] ?? {};
  const event = {
    event_id: input['event_id'],
    customer_id: input['customer_id'],
    event_type: input['event_type'],
    amount: input['amount'] ?? null,
    quantity: input['quantity'] ?? null,
    channel: input['channel'] ?? 'web',
    event_time: time,
    properties,
  } as CustomerEvent;
  const violation = checkEvent(typeof properties === 'object' && !Array.isArray(properties) ? event : { ...event, properties: {} }, latestTimeMs);
  if (violation !== undefined)
    return violation.field === 'event_time' && violation.rule === EVENT_RULES.event_time ? { field: 'event_time', rule: EVENT_TIME_INPUT_RULE } : violation;
  if (typeof properties !== 'object' || Array.isArray(properties)) return { field: 'properties', rule: PROPERTIES_INPUT_RULE };
  return event;
}

export const isViolation = (result: object): result is Violation => 'rule' in result;

/** The violation as one line, with what was got, cut to a bearable length. */
export function describeViolation({ field, rule }: Violation, source: Readonly<Record<string, unknown>>): string {
  const dot = field.indexOf('.');
  const holder = dot === -1 ? source : (source[field.slice(0, dot)] as Readonly<Record<string, unknown>> | undefined);
  return `${clip(field, 80)}: expected ${rule}; got ${shown(holder?.[dot === -1 ? field : field.slice(dot + 1)])}`;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return clip(JSON.stringify(value.slice(0, 60).toWellFormed()), 60);
  if (Array.isArray(value)) return 'an array';
  return value !== null && typeof value === 'object' ? `an object of ${Object.keys(value).length} entries` : String(value);
}

const clip = (text: string, lengthMax: number): string => (text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`);
