import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, TidemarkError, type ErrorCode } from '../../runtime/errors.js';

/** A piece of the page's data that somebody else keeps: what is known of it, since when, and what is wrong where it is old. */
export interface Section<T> {
  /** When it was read, epoch milliseconds; null: never yet. */
  readonly at: number | null;
  readonly value: T | null;
  readonly error?: { readonly code: ErrorCode; readonly detail: string };
}

export interface SectionOptions<T> {
  readonly name: string;
  /** So long one answer serves all viewers. */
  readonly keep_ms: number;
  /** Longest that one reading may take. */
  readonly deadline_ms: number;
  /** Longest that a reader waits where there is no answer yet, or an old one; unset: the deadline. */
  readonly wait_ms?: number;
  load(signal: AbortSignal): Promise<T>;
  readonly now?: () => number;
}

export interface SectionReader<T> {
  /** Waits for a first answer only; later the former one serves while the next is fetched. */
  read(): Promise<Section<T>>;
}

/** After a failure the next try waits longer each time, up to this. */
const PAUSE_MS_MAX = 15_000;
/** Beyond so many times `keep_ms` an answer is too old to be shown without waiting for a new one. */
const OLD = 5;

export function createSection<T>({ name, keep_ms, deadline_ms, wait_ms = deadline_ms, load, now = Date.now }: SectionOptions<T>): SectionReader<T> {
  let section: Section<T> = { at: null, value: null };
  let loading: Promise<void> | undefined;
  let notBefore = 0;
  let failures = 0;

  async function refresh(): Promise<void> {
    const deadline = AbortSignal.timeout(deadline_ms);
    try {
      const value = await load(deadline);
      section = { at: now(), value };
      failures = 0;
      notBefore = now() + keep_ms;
    } catch (error) {
      failures++;
      notBefore = now() + Math.min(PAUSE_MS_MAX, keep_ms * 2 ** failures);
      const code = error instanceof TidemarkError ? error.code : 'CLICKHOUSE_UNREACHABLE';
      section = { ...section, error: { code, detail: `${name}: ${deadline.aborted ? `no answer within ${deadline_ms} ms` : messageOf(error)}` } };
    } finally {
      loading = undefined;
    }
  }
  return {
    async read() {
      if (loading === undefined && now() >= notBefore) loading = refresh();
      const old = section.at === null || now() - section.at > OLD * keep_ms;
      if (loading !== undefined && old && section.error === undefined) await Promise.race([loading, sleep(wait_ms, undefined, { ref: false })]);
      return section;
    },
  };
}
