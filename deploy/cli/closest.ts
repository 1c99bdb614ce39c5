/** The word nearest to what was typed, if it is near enough to be meant: at most a third of its letters differ. */
export function closest(typed: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let distanceMin = Infinity;
  for (const word of words) {
    const distance = editDistance(typed, word);
    if (distance < distanceMin) [best, distanceMin] = [word, distance];
  }
  return best !== undefined && distanceMin <= Math.max(1, Math.floor(best.length / 3)) ? best : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
