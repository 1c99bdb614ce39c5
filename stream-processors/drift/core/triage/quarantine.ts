import { HOUR_MS, type Finding } from './aggregates.js';

/** Event time that no model is trained on: a row of quarantined_windows. */
export interface Quarantine {
  /** Cause, channel and first hour: the same bug found again has the same. */
  readonly id: string;
  readonly cause: string;
  /** Empty: all channels. */
  readonly channel: string;
  readonly from: number;
  readonly to: number;
}

/** Two pieces of one bug are no further apart than this. */
const GAP_MS = 24 * HOUR_MS;

export const quarantineId = (model: string, { cause, channel, from }: Pick<Quarantine, 'cause' | 'channel' | 'from'>): string =>
  `${model}/${cause}/${channel === '' ? 'all' : channel}/${new Date(from).toISOString().slice(0, 13)}`;

/** The quarantine that a finding makes or makes longer, and whether it is new. A bug that goes on keeps its first hour. */
export function quarantineOf(model: string, finding: Pick<Finding, 'cause' | 'channel' | 'from' | 'to'>, existing: readonly Quarantine[]): { quarantine: Quarantine; known: 'new' | 'longer' | 'same' } {
  const { cause, channel, from, to } = finding;
  const same = existing.find((other) => other.cause === cause && (other.channel === channel || other.channel === '') && from <= other.to + GAP_MS && to >= other.from - GAP_MS);
  if (same === undefined) return { quarantine: { id: quarantineId(model, finding), cause, channel, from, to }, known: 'new' };
  if (to <= same.to) return { quarantine: same, known: 'same' };
  return { quarantine: { ...same, to }, known: 'longer' };
}
