import type { Challenger, Deployment } from '../../schemas/ledger/deployment.js';

/** What a scorer knows of a published version. */
export interface KnownVersion {
  /** Where its latest manifest stands on `models`. */
  readonly offset: number;
  /** Made for this scorer's view. */
  readonly fits: boolean;
}

/** Champions of which one is served: the newest that can be, else one that served before it. */
export const CHAMPIONS_TRIED_MAX = 3;

export interface Wanted {
  /** In the order in which they are tried. */
  readonly champions: readonly string[];
  readonly challenger: Challenger | undefined;
}

/**
 * What this scorer is to serve. A version that is not known yet stands in the ledger before its bytes have been read: what
 * served before it goes on until they are.
 * @param refused offsets of manifests whose model failed its check
 */
export function wanted(deployment: Deployment, known: ReadonlyMap<string, KnownVersion>, refused: ReadonlySet<number>): Wanted {
  const usable = (version: string): boolean => {
    const found = known.get(version);
    return found !== undefined && found.fits && !refused.has(found.offset);
  };
  const { challenger } = deployment;
  return {
    champions: deployment.champions.filter(usable).slice(0, CHAMPIONS_TRIED_MAX),
    challenger: challenger !== undefined && usable(challenger.version) ? challenger : undefined,
  };
}
