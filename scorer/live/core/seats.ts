/** Who may still connect: a bound on all connections and one on those of a single identity (a key, or an address). */
export interface Seats {
  /** Takes a place. @returns which bound stands against it; undefined when it was taken */
  take(identity: string): 'all' | 'identity' | undefined;
  free(identity: string): void;
  readonly taken: number;
}

export function createSeats(max: number, perIdentityMax: number): Seats {
  const byIdentity = new Map<string, number>();
  let taken = 0;
  return {
    take(identity) {
      const own = byIdentity.get(identity) ?? 0;
      if (taken >= max) return 'all';
      if (own >= perIdentityMax) return 'identity';
      byIdentity.set(identity, own + 1);
      taken++;
      return undefined;
    },
    free(identity) {
      const own = byIdentity.get(identity);
      if (own === undefined) return;
      taken--;
      if (own === 1) byIdentity.delete(identity);
      else byIdentity.set(identity, own - 1);
    },
    get taken() { return taken; },
  };
}
