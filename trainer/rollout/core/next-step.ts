import type { LedgerAction } from '../../../schemas/events/ledger-entry.js';
import { ROLLOUT, type Challenger, type Deployment, type LedgerStep } from '../../../schemas/ledger/deployment.js';
import { breaches, ownBreaches, type Limits, type PairFigures } from './figures.js';

export interface RolloutPlan {
  /** Shares of customers that a canary serves one after the other, rising; none: from shadow to full. */
  readonly steps: readonly number[];
  /** What a step takes at least: compared rows, and time on `clock`. */
  readonly step_rows_min: number;
  readonly step_ms: number;
  /** wall: time of the machines; event: time of the rows' events. */
  readonly clock: 'wall' | 'event';
  /** How long a new champion is held against the one before it; 0: not at all. */
  readonly probation_ms: number;
  /** False: nothing is raised or promoted, only rolled back. */
  readonly automatic: boolean;
}

export interface Situation {
  readonly deployment: Deployment;
  /** Of the model, in the order of the ledger. */
  readonly entries: readonly LedgerStep[];
  /** Of the challenger's present step; undefined without a challenger. */
  readonly figures: PairFigures | undefined;
  /** Rows that the champion scored since the step began: with these and no compared row, no scorer can score the challenger. */
  readonly champion_rows: number;
  readonly now_ms: number;
}

/** The entry to write next, or why to wait. */
export type Step =
  | { readonly wait: string }
  | { readonly action: Extract<LedgerAction, 'shadow' | 'canary' | 'promoted' | 'rolled_back' | 'retired'>; readonly version: string; readonly share?: number; readonly champion?: string; readonly reason: string };

/** Whether the challenger is the former champion, scored beside the new one to hold it against. */
export const isCounterpart = ({ champions }: Deployment, { version, mode, by }: Challenger): boolean => mode === 'shadow' && by === ROLLOUT && champions.includes(version);

/** What the rollout does next. The same ledger and the same figures give the same step. */
export function nextStep(situation: Situation, plan: RolloutPlan, limits: Limits): Step {
  const { deployment, figures } = situation;
  const { champion, challenger } = deployment;
  if (champion === undefined) return { wait: 'no version serves' };
  if (challenger === undefined) return beginProbation(situation, plan);
  if (figures === undefined || figures.rows === 0) return withoutRows(situation, challenger, champion, limits);
  if (isCounterpart(deployment, challenger)) return probation(situation, figures, challenger, champion, plan, limits);

  const broken = breaches('challenger', figures, limits);
  if (broken.length > 0) return { action: 'rolled_back', version: challenger.version, champion, reason: `${modeOf(challenger)}: ${broken.join('; ')}` };
  const champions = onProbation(situation, plan) ? ownBreaches('champion', figures, limits) : [];
  const former = deployment.champions[1];
  if (champions.length > 0 && former !== undefined) return { action: 'rolled_back', version: champion, champion: former, reason: `on probation: ${champions.join('; ')}` };
  return stepUp(situation, figures, challenger, plan);
}

const modeOf = ({ mode, share }: Challenger): string => (mode === 'shadow' ? 'in shadow' : `as a canary of ${share}`);

function elapsed({ now_ms }: Situation, { event_from_ms, event_to_ms }: PairFigures, { at }: Challenger, clock: RolloutPlan['clock']): number {
  return clock === 'wall' ? now_ms - at : event_to_ms - event_from_ms;
}

function stepUp(situation: Situation, figures: PairFigures, challenger: Challenger, plan: RolloutPlan): Step {
  const { version, mode, share } = challenger;
  const since = elapsed(situation, figures, challenger, plan.clock);
  if (figures.rows < plan.step_rows_min) return { wait: `${figures.rows} of ${plan.step_rows_min} rows compared ${modeOf(challenger)}` };
  if (since < plan.step_ms) return { wait: `${Math.round(since / 1000)} of ${plan.step_ms / 1000} s ${modeOf(challenger)}` };
  if (!plan.automatic) return { wait: `${modeOf(challenger)} until somebody promotes it: ROLLOUT_AUTO is false` };
  const held = `no limit broken on ${figures.rows} rows of ${figures.customers} customers ${modeOf(challenger)}`;
  const next = plan.steps.find((step) => mode === 'shadow' || step > share);
  return next === undefined ? { action: 'promoted', version, champion: version, reason: held } : { action: 'canary', version, share: next, reason: held };
}

/** Entries since the champion took over. */
function sinceChampion({ entries, deployment }: Situation): readonly LedgerStep[] {
  return entries.slice(entries.findIndex(({ entry_id }) => entry_id === deployment.entry_id) + 1);
}

/** A rollback puts back what was in service before: that is not watched again. */
function onProbation(situation: Situation, { probation_ms }: RolloutPlan): boolean {
  const { deployment, entries } = situation;
  const began = entries.find(({ entry_id }) => entry_id === deployment.entry_id);
  if (began?.action !== 'promoted' || probation_ms === 0 || deployment.champions.length < 2) return false;
  return !sinceChampion(situation).some(({ action, by }) => action === 'retired' && by === ROLLOUT);
}

function beginProbation(situation: Situation, plan: RolloutPlan): Step {
  const { deployment, now_ms } = situation;
  const former = deployment.champions[1];
  const nothing = { wait: 'no version is on trial' };
  if (former === undefined || !onProbation(situation, plan)) return nothing;
  if (sinceChampion(situation).some(({ action, by }) => action === 'shadow' && by === ROLLOUT)) return nothing;
  if (plan.clock === 'wall' && now_ms - deployment.since >= plan.probation_ms + PROBATION_LATE_MS) return nothing;
  return { action: 'shadow', version: former, reason: `scored beside ${deployment.champion} during its probation` };
}

function probation(situation: Situation, figures: PairFigures, counterpart: Challenger, champion: string, plan: RolloutPlan, limits: Limits): Step {
  const broken = breaches('champion', figures, limits);
  if (broken.length > 0) return { action: 'rolled_back', version: champion, champion: counterpart.version, reason: `on probation: ${broken.join('; ')}` };
  const since = elapsed(situation, figures, counterpart, plan.clock);
  if (since < plan.probation_ms || figures.rows < limits.rows_min)
    return { wait: `${champion} on probation: ${Math.round(since / 1000)} of ${plan.probation_ms / 1000} s, ${figures.rows} rows compared` };
  return { action: 'retired', version: counterpart.version, reason: `${champion} held its probation: no limit broken on ${figures.rows} rows` };
}

/** A probation begins though nobody looked for a while; a champion of long ago is no new one. */
const PROBATION_LATE_MS = 600_000;

/** Rows flow and none is compared: the scorers refuse the version, or cannot load it in time. */
function withoutRows({ champion_rows, now_ms, deployment }: Situation, challenger: Challenger, champion: string, limits: Limits): Step {
  const waited = now_ms - challenger.at;
  if (champion_rows < Math.max(limits.rows_min, 1) || waited < STALL_MS) return { wait: `no row compared ${modeOf(challenger)} yet` };
  const reason = `no scorer has scored it in ${Math.round(waited / 1000)} s, in which the champion scored at least ${champion_rows} rows: see challenger_refused in the scorers’ logs`;
  return isCounterpart(deployment, challenger)
    ? { action: 'retired', version: challenger.version, reason: `probation without a comparison: ${reason}` }
    : { action: 'rolled_back', version: challenger.version, champion, reason };
}

/** Landing and loading take less, unless something is wrong. */
export const STALL_MS = 120_000;
