import { aheadRule, EVENT_RULES, isText, type Violation } from './check-event.js';
import { EVENT_BOUNDS } from './customer-event.js';
import { parseIsoTime } from './iso-time.js';
import type { CustomerOutcome } from './outcome.js';

export const OUTCOME_RULE = '1 or true (the customer churned), 0 or false (the customer stayed)';
export const OBSERVED_AT_RULE = `${EVENT_RULES.event_time}, or ISO 8601 with zone`;

/**
 * An outcome from an object of plain JSON, or of Avro: `outcome` is 0, 1 or a boolean, `observed_at` epoch milliseconds or ISO
 * 8601 with zone. Other keys are ignored.
 * @param latestTimeMs the latest observed_at taken (`latestEventTime` of the record), so that every reader decides alike
 */
export function readOutcome(input: Readonly<Record<string, unknown>>, latestTimeMs: number): CustomerOutcome | Violation {
  const { customer_id, outcome, observed_at } = input;
  if (!isText(customer_id, EVENT_BOUNDS.id_length_max)) return { field: 'customer_id', rule: EVENT_RULES.customer_id };
  const value = typeof outcome === 'boolean' ? Number(outcome) : outcome;
  if (value !== 0 && value !== 1) return { field: 'outcome', rule: OUTCOME_RULE };
  const time = typeof observed_at === 'string' ? parseIsoTime(observed_at) : observed_at;
  if (typeof time !== 'number' || !Number.isInteger(time) || time <= 0) return { field: 'observed_at', rule: OBSERVED_AT_RULE };
  if (time > latestTimeMs) return { field: 'observed_at', rule: aheadRule(latestTimeMs) };
  return { customer_id, outcome: value, observed_at: time };
}
