/** Where a subscriber stands: `<run>-<n>`, the n-th score that a run of the scorer committed. Another run counts anew. */
export const positionText = (run: string, n: number): string => `${run}-${n}`;

/** The number of a position of this run; undefined for what is none. */
export function positionOf(text: string, run: string): number | undefined {
  const found = /^([0-9a-z]{1,32})-(0|[1-9][0-9]{0,15})$/.exec(text);
  return found?.[1] === run ? Number(found[2]) : undefined;
}
