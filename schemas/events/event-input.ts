import { z } from 'zod';
import { aheadRule, checkProperties, EVENT_RULES, isText } from './check-event.js';
import { EVENT_BOUNDS, EVENT_TYPES } from './customer-event.js';
import { parseIsoTime } from './iso-time.js';
import { EVENT_TIME_INPUT_RULE, PROPERTIES_INPUT_RULE } from './read-event.js';

const B = EVENT_BOUNDS;
const text = (lengthMax: number, error: string) => z.custom<string>((value) => isText(value, lengthMax), { error });

const eventTime = (latestTimeMs: number) =>
  z.union([z.number({ error: EVENT_TIME_INPUT_RULE }), z.string().transform(parseIsoTime)], { error: EVENT_TIME_INPUT_RULE })
    .refine((time) => Number.isInteger(time) && time > 0, { error: EVENT_TIME_INPUT_RULE, abort: true })
    .refine((time) => time <= latestTimeMs, { error: () => aheadRule(latestTimeMs) });

const properties = z
  .custom<Record<string, string>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), { error: PROPERTIES_INPUT_RULE, abort: true })
  .superRefine((value, context) => {
    const violation = checkProperties(value);
    if (violation === undefined) return;
    const [, key] = /^properties\.(.*)$/s.exec(violation.field) ?? [];
    context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message: violation.rule });
  });

/**
 * An event at the edges (files, HTTP), where all problems are wanted at once and speed is not: the same rules in the same
 * words as readEvent, which the hot path uses; a test holds the two equal. Keys that are not an event's are dropped.
 * @param latestTimeMs the latest event_time taken
 */
export const eventInput = (latestTimeMs: number) =>
  z.object({
    event_id: text(B.id_length_max, EVENT_RULES.event_id),
    customer_id: text(B.id_length_max, EVENT_RULES.customer_id),
    event_type: z.enum(EVENT_TYPES, { error: EVENT_RULES.event_type }),
    amount: z.number({ error: EVENT_RULES.amount }).min(-B.amount_abs_max, { error: EVENT_RULES.amount }).max(B.amount_abs_max, { error: EVENT_RULES.amount }).nullish().transform((value) => value ?? null),
    quantity: z.number({ error: EVENT_RULES.quantity }).int({ error: EVENT_RULES.quantity }).min(0, { error: EVENT_RULES.quantity }).max(B.quantity_max, { error: EVENT_RULES.quantity }).nullish().transform((value) => value ?? null),
    channel: text(B.channel_length_max, EVENT_RULES.channel).nullish().transform((value) => value ?? 'web'),
    event_time: eventTime(latestTimeMs),
    properties: properties.nullish().transform((value) => value ?? {}),
  });
