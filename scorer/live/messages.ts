import { z } from 'zod';
import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';
import { TENURE_SEGMENTS } from '../../schemas/segments.js';
import { DECISIONS } from '../core/decision.js';
import { EVERYTHING, type Filter } from './core/filter.js';

/** What is said on /ws and /stream. Requests are checked by these schemas; the AsyncAPI document is made of all of them. */
export const REQUEST_BOUNDS = { customers_max: 1000, segments_max: 64, model_versions_max: 64, name_length_max: 64, snapshot_rows_max: 1000, snapshot_rows: 100 } as const;
const { customers_max, segments_max, model_versions_max, name_length_max, snapshot_rows_max, snapshot_rows } = REQUEST_BOUNDS;

const oneOrMany = <T extends z.ZodType<string>>(one: T, max: number, what: string) =>
  z.union([one.transform((value) => [value]), z.array(one).min(1).max(max)], `${what}, or 1 to ${max} of them`);
const share = (rule: string) => z.number(rule).min(0, rule).max(1, rule);
const zeroToOne = 'a number from 0 to 1';
const aboveZero = 'a number above 0, up to 1';
const rowsRule = `a whole number from 0 to ${snapshot_rows_max}`;

const customerId = z.string().min(1).max(EVENT_BOUNDS.id_length_max);
const segment = z.union([z.enum(TENURE_SEGMENTS as [string, ...string[]]), z.string().regex(/^channel=./).max('channel='.length + EVENT_BOUNDS.channel_length_max)],
  `channel=… or one of ${TENURE_SEGMENTS.join(', ')}`);
const subscriptionName = z.string().max(name_length_max).describe('name of one of several subscriptions of a connection; messages about it carry it');

/** Conditions; all that are given must hold. */
export const wishFields = {
  customer: oneOrMany(customerId, customers_max, 'a customer id').describe('only these customers').optional(),
  segment: oneOrMany(segment, segments_max, 'a segment').describe('only scores of these segments: any of the channels, and any of the tenure bands').optional(),
  model_version: oneOrMany(z.string().min(1).max(128), model_versions_max, 'a model version').describe('only scores by these versions').optional(),
  threshold: share(zeroToOne).describe('only scores at or above it').optional(),
  crossing: share(zeroToOne).describe('only scores that take a customer up to it or above, or back down').optional(),
  hysteresis: share(zeroToOne).describe('how far below `crossing` a score must fall to count as down').optional(),
  sample: z.number(aboveZero).gt(0, aboveZero).max(1, aboveZero).describe('share of the scores, the same ones for every client').optional(),
  snapshot: z.number(rowsRule).int(rowsRule).min(0, rowsRule).max(snapshot_rows_max, rowsRule).describe(`most rows of the snapshot where no customers are named; ${snapshot_rows} unless given`).optional(),
  since: z.string().max(64).describe('the `id` of the last message of an earlier connection, to go on from there').optional(),
};
const levelsFit = ({ crossing, hysteresis }: { crossing?: number | undefined; hysteresis?: number | undefined }): boolean => hysteresis === undefined || hysteresis <= (crossing ?? -1);
const levelsRule = { path: ['hysteresis'], message: 'stands beside crossing, and is no larger' };

export const querySchema = z.strictObject({ ...wishFields, subscribe: z.enum(['now', 'later'], 'now or later').describe('`later`: nothing is sent before a subscribe message').optional() }).refine(levelsFit, levelsRule);
export const requestSchemas = {
  subscribe: z.strictObject({ type: z.literal('subscribe'), subscription: subscriptionName.optional(), ...wishFields }).refine(levelsFit, levelsRule),
  unsubscribe: z.strictObject({ type: z.literal('unsubscribe'), subscription: subscriptionName.optional() }),
  ping: z.strictObject({ type: z.literal('ping') }),
};
export const requestSchema = z.discriminatedUnion('type', [requestSchemas.subscribe, requestSchemas.unsubscribe, requestSchemas.ping], 'type is subscribe, unsubscribe or ping');

const named = { subscription: subscriptionName.optional() };
const position = z.string().describe('position to resume from');
const time = z.iso.datetime();
const scoreFields = {
  customer_id: customerId, prediction_id: z.string(), event_id: z.string(), event_time: time, scored_at: time,
  score: share(zeroToOne).describe('P(churn)'), decision: z.enum(DECISIONS), model_version: z.string(), trigger: z.enum(['event', 'sweep']),
  degraded: z.boolean(), segments: z.array(z.string()).describe('channel and tenure band, as far as they are known'),
};
const seq = z.int().min(0).describe('number of a score among those that were meant for this subscription');

/** What a client receives. On /stream the type is the event's name, and `id` its id. */
export const messageSchemas = {
  subscribed: z.strictObject({
    type: z.literal('subscribed'), ...named, customer: z.array(z.string()).nullable(), segment: z.array(z.string()).nullable(), model_version: z.array(z.string()).nullable(),
    threshold: z.number(), crossing: z.number().nullable(), hysteresis: z.number(), sample: z.number(),
    resumed: z.boolean().describe('true: the scores since the position that was asked for follow, without a snapshot'),
  }),
  snapshot: z.strictObject({ type: z.literal('snapshot'), ...named, ...scoreFields }),
  live: z.strictObject({ type: z.literal('live'), ...named, id: position, rows: z.int().min(0).describe('rows of the snapshot, which is complete now') }),
  score: z.strictObject({ type: z.literal('score'), ...named, seq, id: position, crossed: z.enum(['up', 'down']).optional(), ...scoreFields }),
  gap: z.strictObject({ type: z.literal('gap'), ...named, dropped: z.int().min(1).nullable().describe('scores left out since the last notice; null: unknown'), seq }),
  unsubscribed: z.strictObject({ type: z.literal('unsubscribed'), ...named }),
  pong: z.strictObject({ type: z.literal('pong') }),
  error: z.strictObject({ type: z.literal('error'), problem: z.looseObject({ status: z.int(), code: z.string(), detail: z.string() }).describe('problem JSON (RFC 9457)') }),
};
export type LiveMessage = { [Name in keyof typeof messageSchemas]: z.infer<(typeof messageSchemas)[Name]> }[keyof typeof messageSchemas];

const list = (values: ReadonlySet<string> | null): string[] | null => (values === null ? null : [...values]);

export function subscribedText(name: string, { customers, channels, tenures, modelVersions, threshold, crossing, sample }: Filter, resumed: boolean): string {
  return JSON.stringify({
    type: 'subscribed', ...(name === '' ? {} : { subscription: name }), customer: list(customers), segment: channels === null && tenures === null ? null : [...channels ?? [], ...tenures ?? []],
    model_version: list(modelVersions), threshold, crossing: crossing?.up ?? null, hysteresis: crossing === null ? 0 : rounded(crossing.up - crossing.down), sample, resumed,
  } satisfies LiveMessage);
}
/** A difference of decimal numbers as it was written. */
const rounded = (value: number): number => Number(value.toFixed(12));

type Conditions = Omit<z.infer<typeof requestSchemas.subscribe>, 'type' | 'subscription' | 'since' | 'snapshot'>;

export function filterOf({ customer, segment: segments, model_version, threshold, crossing, hysteresis, sample }: Conditions): Filter {
  const ofKind = (prefix: string): ReadonlySet<string> | null => {
    const kind = segments?.filter((name) => name.startsWith(prefix)) ?? [];
    return kind.length === 0 ? null : new Set(kind);
  };
  return {
    customers: customer === undefined ? null : new Set(customer), channels: ofKind('channel='), tenures: ofKind('tenure='), modelVersions: model_version === undefined ? null : new Set(model_version),
    threshold: threshold ?? EVERYTHING.threshold, crossing: crossing === undefined ? null : { up: crossing, down: crossing - (hysteresis ?? 0) }, sample: sample ?? EVERYTHING.sample,
  };
}
