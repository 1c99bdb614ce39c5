import type { Loss, Promised } from './judge.js';

/**
 * What a version's holdout promised for a window: its losses after events and in silence, in the proportion that the window has of
 * both, for the two differ and production's mixture is not the holdout's. Versions whose manifest does not tell them apart
 * are taken by the loss of all rows.
 * @param metrics of the manifest
 * @param eventShare of the window's predictions, 0 to 1
 * @returns null where the holdout is not known
 */
export function promisedLoss(metrics: Readonly<Record<string, number>>, loss: Loss, eventShare: number): Promised | null {
  const parts = [[eventShare, 'on_event'], [1 - eventShare, 'in_silence']] as const;
  const known = parts.filter(([share]) => share > 0).map(([share, name]) => ({ share, loss: metrics[`${loss}_${name}`], rows: metrics[`holdout_rows_${name}`] }));
  if (known.every((part): part is { share: number; loss: number; rows: number } => part.loss !== undefined && (part.rows ?? 0) > 0)) {
    // a weighted mean is as certain as one of so many rows
    return { loss: known.reduce((sum, part) => sum + part.share * part.loss, 0), rows: 1 / known.reduce((sum, part) => sum + part.share ** 2 / part.rows, 0) };
  }
  const [all, rows] = [metrics[loss], metrics['holdout_rows']];
  return all === undefined || rows === undefined || !(rows > 0) ? null : { loss: all, rows };
}
