import type { FieldError } from '../api/problem.js';
import { fieldErrors } from '../api/predict-request.js';
import type { Wish } from './hub.js';
import { filterOf, querySchema, REQUEST_BOUNDS, requestSchema, wishFields } from './messages.js';

export type Request = { readonly type: 'subscribe'; readonly name: string; readonly wish: Wish } | { readonly type: 'unsubscribe'; readonly name: string } | { readonly type: 'ping' };
export interface Wrong { readonly errors: readonly FieldError[] }

const LISTS = new Set(['customer', 'segment', 'model_version']);
const NUMBERS: ReadonlySet<string> = new Set(Object.keys(wishFields).filter((name) => !LISTS.has(name) && name !== 'since'));

/** What a connection's query string asks for; null: nothing before it says so. */
export function wishOfQuery(text: string): Wish | null | Wrong {
  const given: Record<string, unknown> = {};
  const params = new URLSearchParams(text);
  for (const name of new Set(params.keys())) given[name] = LISTS.has(name) ? params.getAll(name) : NUMBERS.has(name) ? toNumber(params.get(name)!) : params.get(name);
  const parsed = querySchema.safeParse(given);
  if (!parsed.success) return { errors: fieldErrors(parsed.error, '') };
  return parsed.data.subscribe === 'later' ? null : wishOf(parsed.data);
}
const toNumber = (value: string): unknown => (value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value);

/** What a client says. */
export function requestOf(text: string): Request | Wrong {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { errors: [{ field: 'message', rule: 'JSON text' }] };
  }
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) return { errors: fieldErrors(parsed.error, '') };
  if (parsed.data.type === 'ping') return { type: 'ping' };
  const name = parsed.data.subscription ?? '';
  return parsed.data.type === 'unsubscribe' ? { type: 'unsubscribe', name } : { type: 'subscribe', name, wish: wishOf(parsed.data) };
}

type Asked = Parameters<typeof filterOf>[0] & { since?: string | undefined; snapshot?: number | undefined };
const wishOf = ({ since, snapshot, ...conditions }: Asked): Wish => ({ filter: filterOf(conditions), since, snapshotRows: snapshot ?? REQUEST_BOUNDS.snapshot_rows });
