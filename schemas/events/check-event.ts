import { EVENT_BOUNDS, EVENT_TYPES, type CustomerEvent } from './customer-event.js';

/** Why a record is not an event: the field, the rule it breaks, in words a producer can act on. */
export interface Violation {
  readonly field: string;
  readonly rule: string;
}

const B = EVENT_BOUNDS;
const types = new Set<string>(EVENT_TYPES);
const ID_RULE = `a string of 1 to ${B.id_length_max} characters, valid Unicode, without control characters`;

/** The rule of each field in words, the same for every reader. */
export const EVENT_RULES = {
  event_id: ID_RULE,
  customer_id: ID_RULE,
  event_type: `one of ${EVENT_TYPES.join(', ')}`,
  amount: `a finite number within ±${B.amount_abs_max}, or null`,
  quantity: `a whole number from 0 to ${B.quantity_max}, or null`,
  channel: `a string of 1 to ${B.channel_length_max} characters, valid Unicode, without control characters`,
  event_time: 'epoch milliseconds, a whole number above 0',
  properties_count: `at most ${B.properties_count_max} entries`,
  properties_key: `keys of 1 to ${B.property_key_length_max} characters, valid Unicode, without control characters`,
  properties_value: `a string of at most ${B.property_value_length_max} characters, valid Unicode`,
} as const;

/** The end of what ClickHouse's DateTime64 holds. */
const LATEST_TIME_MS = Date.UTC(2299, 11, 31);

/** The latest event_time taken from a record, epoch milliseconds. @param aheadMsMax EVENT_TIME_MAX_AHEAD_S in milliseconds */
export const latestEventTime = (recordTimeMs: number, aheadMsMax: number): number => Math.min(recordTimeMs + aheadMsMax, LATEST_TIME_MS);

/** The rule that bounds event_time by the record's own time. */
export const aheadRule = (latestTimeMs: number): string =>
  `not after ${new Date(Math.min(latestTimeMs, LATEST_TIME_MS)).toISOString()} (record time plus EVENT_TIME_MAX_AHEAD_S)`;

/** True for text that survives a trip through UTF-8 and C strings unchanged: no lone surrogate, no control character, no U+FFFD. */
function isCleanText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c === 0x7f || c === 0xfffd) return false;
    if (c >= 0xd800 && c <= 0xdfff) {
      const next = text.charCodeAt(i + 1);
      if (c > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
      i++;
    }
  }
  return true;
}

/** Text of 1 to `lengthMax` UTF-16 units that is valid Unicode without control characters. */
export function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= lengthMax && isCleanText(value);
}

/**
 * Checks one decoded event against every rule, without allocating where it holds.
 * @param latestTimeMs the latest event_time taken, in epoch milliseconds: the record's broker timestamp plus the allowance
 *   for clocks ahead. It comes from the record and not from this machine's clock, so that every reader decides alike.
 * @returns the first broken rule, or undefined for a good event
 */
export function checkEvent(event: CustomerEvent, latestTimeMs: number): Violation | undefined {
  if (!isText(event.event_id, B.id_length_max)) return { field: 'event_id', rule: EVENT_RULES.event_id };
  if (!isText(event.customer_id, B.id_length_max)) return { field: 'customer_id', rule: EVENT_RULES.customer_id };
  if (!types.has(event.event_type)) return { field: 'event_type', rule: EVENT_RULES.event_type };
  const amount = event.amount;
  if (amount !== null && !(typeof amount === 'number' && Math.abs(amount) <= B.amount_abs_max))
    return { field: 'amount', rule: EVENT_RULES.amount };
  const quantity = event.quantity;
  if (quantity !== null && !(Number.isInteger(quantity) && quantity >= 0 && quantity <= B.quantity_max))
    return { field: 'quantity', rule: EVENT_RULES.quantity };
  if (!isText(event.channel, B.channel_length_max)) return { field: 'channel', rule: EVENT_RULES.channel };
  const time = event.event_time;
  if (!(Number.isInteger(time) && time > 0)) return { field: 'event_time', rule: EVENT_RULES.event_time };
  if (time > latestTimeMs) return { field: 'event_time', rule: aheadRule(latestTimeMs) };
  return checkProperties(event.properties);
}

export function checkProperties(properties: Readonly<Record<string, unknown>>): Violation | undefined {
  let count = 0;
  for (const key in properties) {
    if (++count > B.properties_count_max) return { field: 'properties', rule: EVENT_RULES.properties_count };
    if (!isText(key, B.property_key_length_max))
      return { field: 'properties', rule: EVENT_RULES.properties_key };
    const value = properties[key];
    if (typeof value !== 'string' || value.length > B.property_value_length_max || !value.isWellFormed())
      return { field: `properties.${key}`, rule: EVENT_RULES.properties_value };
  }
  return undefined;
}
