/** Share of a feature in what the model gains from its features; they sum to 1. */
export interface Importance {
  readonly feature: string;
  readonly share: number;
}

/** Shares of given weights, the largest first; where none weighs anything, every share is 0. */
export function sharesOf(feature_names: readonly string[], weights: ArrayLike<number>): Importance[] {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  return feature_names
    .map((feature, i) => ({ feature, share: total > 0 ? weights[i]! / total : 0 }))
    .sort((a, b) => b.share - a.share || (a.feature < b.feature ? -1 : 1));
}
