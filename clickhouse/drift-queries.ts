import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../runtime/paths.js';

/** Whose definitions: Tidemark's own, or those of a library, value for value. */
export const DRIFT_PROFILES = ['native', 'evidently', 'nannyml'] as const;
export type DriftProfile = (typeof DRIFT_PROFILES)[number];

/** What is compared: raw numbers, raw categories, or (native only) the hourly aggregates with a model's profile. */
export const DRIFT_SOURCES = ['numbers', 'categories', 'hours'] as const;
export type DriftSource = (typeof DRIFT_SOURCES)[number];

const NATIVE = ['drift_native', 'drift_ks', 'drift_native_rows'];
/** Files of clickhouse/queries that make a statement, one after the other. */
const FILES: Readonly<Record<DriftProfile, Partial<Record<DriftSource, readonly string[]>>>> = {
  native: {
    numbers: ['drift_native_samples', ...NATIVE],
    categories: ['drift_native_categories', ...NATIVE],
    hours: ['drift_native_hours', ...NATIVE],
  },
  evidently: { numbers: ['drift_evidently', 'drift_ks', 'drift_evidently_rows'], categories: ['drift_evidently_categories'] },
  nannyml: { numbers: ['drift_nannyml'], categories: ['drift_nannyml_categories'] },
};

const text = (name: string): string => readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', `${name}.sql`), 'utf8');

/** The statement of the distributions that `native` compares in the hourly aggregates, with the same parameters. */
export const histogramQuery = (): string => text('drift_native_hours') + text('drift_histograms_rows');

/**
 * The statement that compares, with its parameters (`{samples:Identifier}`, or the windows) still in it.
 * @returns undefined where a profile does not have the source
 */
export function driftQuery(profile: DriftProfile, source: DriftSource): string | undefined {
  return FILES[profile][source]?.map(text).join('');
}
