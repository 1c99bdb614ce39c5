/** What MLflow calls the versions in service. */
export const ALIASES = ['champion', 'challenger'] as const;
export type Alias = (typeof ALIASES)[number];

/** Move an alias to a registered version, or take it away where `to` is undefined. */
export interface AliasChange {
  readonly alias: Alias;
  readonly to: string | undefined;
}

/**
 * What it takes for the aliases to say what the ledger says; others are left alone.
 * @param current by alias, MLflow's own version numbers
 * @param wanted versions of ours
 * @param numbers MLflow's number of each of our versions; one that is not registered yet leaves its alias as it is
 */
export function aliasChanges(current: Readonly<Record<string, string>>, wanted: Readonly<Record<Alias, string | undefined>>, numbers: ReadonlyMap<string, string>): AliasChange[] {
  return ALIASES.flatMap((alias): AliasChange[] => {
    const version = wanted[alias];
    if (version === undefined) return current[alias] === undefined ? [] : [{ alias, to: undefined }];
    const to = numbers.get(version);
    return to === undefined || to === current[alias] ? [] : [{ alias, to }];
  });
}
