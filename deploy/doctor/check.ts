import { messageOf } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';

/** What one check found. A failure stops `tidemark up`; a warning is only told. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was found: a version, an address, an amount. */
  readonly detail: string;
  /** What to do about it, where something is wrong. */
  readonly fix?: string;
}

export interface Check {
  readonly name: string;
  /** Whether `tidemark up` runs it too, before anything starts; it must take well under a second then. */
  readonly quick: boolean;
  /** Whether it concerns this configuration at all. */
  applies(settings: Settings): boolean;
  run(settings: Settings): Promise<Finding>;
}

export interface Result extends Finding {
  readonly name: string;
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail });
export const warn = (detail: string, fix: string): Finding => ({ status: 'warn', detail, fix });
export const fail = (detail: string, fix: string): Finding => ({ status: 'fail', detail, fix });

/** Runs the checks that apply, in order; one that throws has failed with its message. */
export async function runChecks(checks: readonly Check[], settings: Settings): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of checks) {
    if (!check.applies(settings)) continue;
    const finding = await check.run(settings).catch((error: unknown): Finding => fail(messageOf(error), 'see the message'));
    results.push({ name: check.name, ...finding });
  }
  return results;
}

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

/** One line a result, the fix under what is wrong. */
export function renderResults(results: readonly Result[]): string {
  const width = Math.max(...results.map((result) => result.name.length));
  return results
    .map(({ status, name, detail, fix }) => `${MARKS[status]}  ${name.padEnd(width)}  ${detail}${fix === undefined ? '' : `\n      ${' '.repeat(width)}  → ${fix}`}\n`)
    .join('');
}
