import type { LedgerEntry } from '../events/ledger-entry.js';
import type { ModelManifest } from '../events/model.js';

/** What the fold takes of an entry: everything but its figures. */
export type LedgerStep = Pick<LedgerEntry, 'entry_id' | 'at' | 'version' | 'action' | 'share' | 'champion' | 'by'>;

/** A version beside the champion. */
export interface Challenger {
  readonly version: string;
  /** shadow: scored beside the champion, not published. canary: it serves `share` of the customers. */
  readonly mode: 'shadow' | 'canary';
  readonly share: number;
  /** When this step began, epoch milliseconds; the trial itself began with `first_at`. */
  readonly at: number;
  readonly first_at: number;
  /** Who began this step. */
  readonly by: string;
  /** The entry that this step stands on. */
  readonly entry_id: string;
}

/** Which versions serve. */
export interface Deployment {
  /** Undefined where nothing was ever promoted. */
  readonly champion: string | undefined;
  /** When it took over, epoch milliseconds; 0 where only its manifest says so. */
  readonly since: number;
  /** The entry that it stands on; empty where only its manifest says so. */
  readonly entry_id: string;
  /** The champion and what served before it, newest first, without what was rolled back or retired: what a rollback goes back to. */
  readonly champions: readonly string[];
  readonly challenger: Challenger | undefined;
}

const NONE: Deployment = { champion: undefined, since: 0, entry_id: '', champions: [], challenger: undefined };
/** Former champions that are remembered. */
export const CHAMPIONS_MAX = 16;

/** Who raises shares, promotes and rolls back by itself. Its entries count only while what they rest on still stands. */
export const ROLLOUT = 'rollout';

/**
 * What follows from a model's ledger, in the order of the topic. Every reader that has read as far has the same answer.
 * @param entries of one model
 * @param manifests of the same model, in the order of `models`: a version published as champion serves as long as the
 *   ledger has promoted nothing, and is what remains to fall back on when it has
 */
export function deploymentOf(entries: readonly LedgerStep[], manifests: readonly Pick<ModelManifest, 'version' | 'stage'>[] = []): Deployment {
  const seen = new Set<string>();
  let deployment = fromManifests(manifests);
  for (const entry of entries) {
    if (seen.has(entry.entry_id)) continue;
    seen.add(entry.entry_id);
    deployment = nextDeployment(deployment, entry);
  }
  return deployment;
}

function fromManifests(manifests: readonly Pick<ModelManifest, 'version' | 'stage'>[]): Deployment {
  let champions: string[] = [];
  for (const { version, stage } of manifests) {
    champions = champions.filter((other) => other !== version);
    if (stage === 'champion') champions.unshift(version);
  }
  return serving(NONE, champions, { at: 0, entry_id: '' });
}

/**
 * One entry further. An entry whose ground is gone (a step of a trial that has ended meanwhile, a rollback of what no
 * longer serves) changes nothing, so that a decision taken on an older ledger does no harm.
 */
export function nextDeployment(before: Deployment, entry: LedgerStep): Deployment {
  const { version, action, by } = entry;
  const isChampion = version === before.champion;
  const isChallenger = version === before.challenger?.version;
  switch (action) {
    case 'registered': return before;
    case 'shadow': return isChampion ? before : { ...before, challenger: trial(before, entry, 'shadow', 0) };
    case 'canary': return isChampion || (by === ROLLOUT && !isChallenger) ? before : { ...before, challenger: trial(before, entry, 'canary', clamp(entry.share)) };
    case 'promoted': return isChampion || (by === ROLLOUT && !isChallenger) ? before : serving({ ...before, challenger: undefined }, [version, ...without(before, version)], entry);
    case 'refused': return isChallenger ? { ...before, challenger: undefined } : before;
    case 'rolled_back':
      if (isChallenger) return { ...before, challenger: undefined, champions: without(before, version) };
      return isChampion ? rolledBack(before, entry) : before;
    case 'retired':
      if (isChallenger) return { ...before, challenger: undefined };
      return isChampion && before.champions.length === 1 ? before : serving(before, without(before, version), entry);
  }
}

function trial(before: Deployment, { version, at, by, entry_id }: LedgerStep, mode: Challenger['mode'], share: number): Challenger {
  return { version, mode, share, at, by, entry_id, first_at: before.challenger?.version === version ? before.challenger.first_at : at };
}

/** To the version that the entry names, else to the one before. With neither the champion stays: something must serve. */
function rolledBack(before: Deployment, entry: LedgerStep): Deployment {
  const others = without(before, entry.version);
  const next = entry.champion !== '' && entry.champion !== entry.version ? entry.champion : others[0];
  if (next === undefined) return before;
  return serving({ ...before, challenger: undefined }, [next, ...others.filter((other) => other !== next)], entry);
}

const without = ({ champions }: Deployment, version: string): string[] => champions.filter((other) => other !== version);

function serving(before: Deployment, champions: readonly string[], { at, entry_id }: Pick<LedgerStep, 'at' | 'entry_id'>): Deployment {
  const kept = champions.slice(0, CHAMPIONS_MAX);
  const champion = kept[0];
  if (champion === before.champion) return { ...before, champions: kept };
  const challenger = before.challenger?.version === champion ? undefined : before.challenger;
  return { champion, champions: kept, since: at, entry_id, challenger };
}

/** A share that no reader of other arithmetic can take for more than all or less than none. */
const clamp = (share: number): number => (share >= 0 ? Math.min(share, 1) : 0);
