/**
 * What stands beside the committed offset of a partition: everything below the offset is landed, and the block from there
 * up to `to` may be on its way. Kafka takes it from the partition's present owner only.
 */
export interface Intent {
  readonly to: number;
  /** When it was written, epoch milliseconds. */
  readonly at_ms: number;
}

export const encodeIntent = ({ to, at_ms }: Intent): string => `landing to=${to} at=${at_ms}`;

/** @returns undefined where nothing is on its way, or the text is not ours */
export function decodeIntent(metadata: string | null | undefined, from: number): Intent | undefined {
  const match = /^landing to=(\d{1,16}) at=(\d{1,16})$/.exec(metadata ?? '');
  if (match === null) return undefined;
  const to = Number(match[1]);
  return to > from ? { to, at_ms: Number(match[2]) } : undefined;
}
