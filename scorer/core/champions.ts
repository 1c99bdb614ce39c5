/** What decides about a version's service. */
export interface StagedVersion {
  readonly version: string;
  readonly champion: boolean;
  /** Where its latest manifest stands: the later one is the newer decision, whatever the versions' ages (a rollback promotes an old one). */
  readonly offset: number;
}

/** Champions that are kept to fall back on when the newest is refused or retired. */
export const CHAMPIONS_KEPT_MAX = 3;

/** Takes one manifest into the list of champions, newest decision first; the list given stays as it is. */
export function withStage<T extends StagedVersion>(champions: readonly T[], staged: T): T[] {
  const others = champions.filter(({ version }) => version !== staged.version);
  if (staged.champion) others.push(staged);
  return others.sort((a, b) => b.offset - a.offset).slice(0, CHAMPIONS_KEPT_MAX);
}
