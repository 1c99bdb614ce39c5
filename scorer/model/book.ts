import type { Deployment, LedgerStep } from '../../schemas/ledger/deployment.js';

/** What is known of a version of the model. */
export interface BookedVersion {
  readonly version: string;
  /** What the ledger made of it. */
  readonly status: 'champion' | 'challenger' | 'former_champion' | 'other';
  /** Published for this scorer's view; false also where only the ledger names it. */
  readonly fits: boolean;
  /** Its latest entry in the ledger. */
  readonly action?: string;
  readonly at?: number;
  readonly by?: string;
}

/** Versions that are listed, the newest. */
export const VERSIONS_MAX = 100;

/** Versions of the topic and of the ledger, newest name first. */
export function bookOf(deployment: Deployment, known: ReadonlyMap<string, { readonly fits: boolean }>, entries: readonly LedgerStep[]): BookedVersion[] {
  const latest = new Map(entries.map((entry) => [entry.version, entry]));
  const names = [...new Set([...known.keys(), ...latest.keys()])].sort().reverse().slice(0, VERSIONS_MAX);
  return names.map((version) => {
    const entry = latest.get(version);
    const status = version === deployment.champion ? 'champion' : version === deployment.challenger?.version ? 'challenger' : deployment.champions.includes(version) ? 'former_champion' : 'other';
    return { version, status, fits: known.get(version)?.fits ?? false, ...(entry === undefined ? {} : { action: entry.action, at: entry.at, by: entry.by }) };
  });
}
