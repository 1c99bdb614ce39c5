import { z } from 'zod';
import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';
import type { FieldError } from './problem.js';

/** What is to be scored: a customer of the online store, or values in view order (NaN is missing). */
export type PredictRequest = { readonly customerId: string } | { readonly values: readonly number[] };

/** Beyond it a double has no float32, which the model computes in. */
export const FLOAT32_MAX = 3.4028234663852886e38;
export const VALUE_RULE = 'a number within float32’s range, or null where it is missing';
export const CUSTOMER_ID_RULE = `a string of 1 to ${EVENT_BOUNDS.id_length_max} characters`;

/** The bodies that POST /predict takes, for a list of feature names. Unknown fields are refused by name. */
export function predictSchemas(names: readonly string[]) {
  const value = z.number(VALUE_RULE).min(-FLOAT32_MAX, VALUE_RULE).max(FLOAT32_MAX, VALUE_RULE).nullable();
  const inOrder = z.array(value, `${names.length} values in view order`).length(names.length, `${names.length} values in view order: ${names.join(', ')}`);
  const byName = z.strictObject(Object.fromEntries(names.map((name) => [name, value])));
  const explain = z.boolean().optional().describe('whether the answer says what the score is made of');
  const customer = z.strictObject({ customer_id: z.string(CUSTOMER_ID_RULE).min(1, CUSTOMER_ID_RULE).max(EVENT_BOUNDS.id_length_max, CUSTOMER_ID_RULE) });
  return { inOrder, byName, customer, any: z.union([customer.extend({ explain }), z.strictObject({ features: z.union([byName, inOrder]), explain }), inOrder]) };
}

/** Takes `explain` out of a body; anything but true or false stays in it, to be refused as an unknown field. */
export function withoutExplain(body: unknown): { readonly body: unknown; readonly explain: boolean } {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || !('explain' in body) || typeof body.explain !== 'boolean') return { body, explain: false };
  const { explain, ...rest } = body;
  return { body: rest, explain };
}

/** Compiles the checks of a predict body for a list of feature names. */
export function predictRequestParser(names: readonly string[]): (body: unknown) => PredictRequest | { readonly errors: FieldError[] } {
  const { inOrder, byName, customer } = predictSchemas(names);
  const numbers = (values: readonly (number | null)[]): PredictRequest => ({ values: values.map((v) => v ?? Number.NaN) });
  return (body) => {
    if (Array.isArray(body)) return checked(inOrder, body, 'features', numbers);
    if (typeof body !== 'object' || body === null) return { errors: [{ field: 'body', rule: 'an object with customer_id or features, or an array of values in view order' }] };
    if (!Object.hasOwn(body, 'features')) return checked(customer, body, '', ({ customer_id }) => ({ customerId: customer_id }));
    if (Object.hasOwn(body, 'customer_id')) return { errors: [{ field: 'customer_id', rule: 'either customer_id or features, not both' }] };
    const { features, ...others } = body as { features: unknown };
    const unknown = Object.keys(others).map((field) => ({ field, rule: 'unknown field' }));
    if (unknown.length > 0) return { errors: unknown };
    if (Array.isArray(features)) return checked(inOrder, features, 'features', numbers);
    return checked(byName, features, 'features', (values) => numbers(names.map((name) => values[name] ?? null)));
  };
}

function checked<T>(schema: z.ZodType<T>, input: unknown, at: string, use: (value: T) => PredictRequest): PredictRequest | { errors: FieldError[] } {
  const parsed = schema.safeParse(input);
  return parsed.success ? use(parsed.data) : { errors: fieldErrors(parsed.error, at) };
}

/** Fields that are named in one answer. */
export const ERRORS_MAX = 50;

/** zod's issues as fields and rules. */
export function fieldErrors(error: z.ZodError, at: string): FieldError[] {
  const field = (...path: PropertyKey[]): string => [at, ...path.map(String)].filter((part) => part !== '').join('.') || 'body';
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ field: field(...issue.path, key.slice(0, 100)), rule: 'unknown field' }))
      : [{ field: field(...issue.path), rule: issue.message }]).slice(0, ERRORS_MAX);
}
