import type { LedgerAction, LedgerEntry } from '../../schemas/events/ledger-entry.js';
import type { ModelStage } from '../../schemas/events/model.js';
import type { Settings } from '../../runtime/settings.js';
import { ledgerEntry, type LedgerDraft } from '../../schemas/ledger/entry.js';
import type { Entrance } from '../core/gate/card.js';
import type { GateResult } from './compare.js';

/** How far an accepted version goes at once; `none`: it is kept on `models` and serves nobody. */
export type EntranceMode = 'full' | 'canary' | 'shadow' | 'none';

/** How a version that the gate accepts enters service by the settings. A canary without steps is no trial: it serves at once. */
export function entranceSettings({ ROLLOUT_MODE, CANARY_STEPS }: Pick<Settings, 'ROLLOUT_MODE' | 'CANARY_STEPS'>, mode: EntranceMode = ROLLOUT_MODE): Pick<Deciding, 'mode' | 'first_share'> {
  const [first_share] = CANARY_STEPS;
  return mode === 'canary' && first_share === undefined ? { mode: 'full', first_share: 1 } : { mode, first_share: first_share ?? 1 };
}

export interface Deciding {
  /** `trainer`, or `user:<name>`. */
  readonly by: string;
  readonly mode: EntranceMode;
  /** Of the customers, where a canary begins. */
  readonly first_share: number;
  /** Deploy what the gate refuses, by somebody's order. */
  readonly force: boolean;
  /** Empty where nobody asked. */
  readonly retrain_event_id: string;
}

/** How the version enters service. Where there is no champion it serves at once: a trial needs something to be tried against. */
export function entranceOf({ verdict }: Pick<GateResult, 'verdict'>, champion: string | undefined, { mode, force }: Pick<Deciding, 'mode' | 'force'>): Entrance {
  if (verdict.outcome === 'keep' && !force) return 'refused';
  if (mode === 'none') return 'registered';
  if (mode === 'full' || champion === undefined) return 'promoted';
  return mode;
}

export function reasonOf({ verdict }: Pick<GateResult, 'verdict'>, entrance: Entrance): string {
  return verdict.outcome === 'keep' && entrance !== 'refused' ? `by order, against the gate: ${verdict.reason}` : verdict.reason;
}

/** The stage that a version is published with; which version serves is what the ledger says. */
export const STAGE_OF: Readonly<Record<Entrance, ModelStage>> = { promoted: 'champion', canary: 'canary', shadow: 'shadow', registered: 'candidate', refused: 'candidate' };

/** The id of the first entry that answers a retrain event: it follows from the event alone, so an event has one answer. */
export const answerId = (retrain_event_id: string): string => `answer-${retrain_event_id}`;
export const isAnswered = (entries: readonly LedgerEntry[], retrain_event_id: string): boolean => entries.some((entry) => entry.retrain_event_id === retrain_event_id);

/** What the ledger says of a version: that it is there and how it enters service, or that it was refused. */
export function entriesOf(about: { readonly model: string; readonly version: string; readonly at: number }, entrance: Entrance, gate: GateResult, deciding: Deciding): LedgerEntry[] {
  const reason = reasonOf(gate, entrance);
  const entry = (action: LedgerAction, more: Partial<LedgerDraft> = {}): LedgerEntry =>
    ledgerEntry({ ...about, action, by: deciding.by, reason, evidence: evidenceOf(gate), retrain_event_id: deciding.retrain_event_id, ...more }, deciding.retrain_event_id);
  const first = entry(entrance === 'refused' ? 'refused' : 'registered');
  const answer = deciding.retrain_event_id === '' ? first : { ...first, entry_id: answerId(deciding.retrain_event_id) };
  if (entrance === 'refused' || entrance === 'registered') return [answer];
  return [answer, entry(entrance, entrance === 'promoted' ? { champion: about.version } : entrance === 'canary' ? { share: deciding.first_share } : {})];
}

/** The answer to an event that no model came of. */
export function refusalOf(about: { readonly model: string; readonly at: number }, reason: string, evidence: object, { by, retrain_event_id }: Pick<Deciding, 'by' | 'retrain_event_id'>): LedgerEntry {
  const entry = ledgerEntry({ ...about, version: '', action: 'refused', by, reason, evidence: JSON.stringify(evidence), retrain_event_id }, retrain_event_id);
  return { ...entry, entry_id: answerId(retrain_event_id) };
}

function evidenceOf({ comparison: { metric, metrics, rows, customers, level, calibration }, verdict, champion }: GateResult): string {
  return JSON.stringify({ compared_with: champion ?? null, metric, ...metrics[metric], level, rows, customers, calibration, failed: verdict.checks.filter(({ passed }) => !passed).map(({ check }) => check) });
}
