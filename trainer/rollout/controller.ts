import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { decide, type DeciderOptions } from '../../runtime/models/decide.js';
import type { Log } from '../../runtime/log.js';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import type { ModelStage } from '../../schemas/events/model.js';
import { deploymentOf, ROLLOUT, type Deployment } from '../../schemas/ledger/deployment.js';
import { ledgerEntry } from '../../schemas/ledger/entry.js';
import type { Limits } from './core/figures.js';
import { nextStep, type RolloutPlan, type Step } from './core/next-step.js';
import { championRows, measurePairs } from './measure.js';

export interface ControllerOptions {
  readonly decider: DeciderOptions;
  readonly client: ClickHouseClient;
  readonly log: Log;
  /** MODEL_NAME */
  readonly model: string;
  readonly plan: RolloutPlan;
  readonly limits: Limits;
  /** LABEL_HORIZON_DAYS */
  readonly horizon_days: number;
  readonly clock: () => number;
  /** The ledger as far as it has been read. */
  entries(): readonly LedgerEntry[];
  /** Published versions in the order of `models`. */
  manifests(): readonly { readonly version: string; readonly stage: ModelStage }[];
}

/** What one look at a trial came to. */
export interface Check {
  readonly deployment: Deployment;
  readonly step: Step;
  /** Whether it was written: not where the ledger has gone on meanwhile. */
  readonly written: boolean;
}

/**
 * Looks at the trial once and writes the step that follows. Nothing is kept between two looks: a controller that was
 * killed, and one beside it, come to the same step from the same ledger, and `decide` lets one of them write it.
 */
export async function checkRollout({ decider, client, log, model, plan, limits, horizon_days, clock, entries, manifests }: ControllerOptions): Promise<Check> {
  const deployment = deploymentOf(entries(), manifests());
  const { champion, challenger } = deployment;
  const now_ms = clock();
  const figures = champion === undefined || challenger === undefined ? undefined : await measurePairs(client, champion, challenger, horizon_days);
  const stalled = champion !== undefined && challenger !== undefined && figures?.rows === 0;
  const champion_rows = stalled ? await championRows(client, champion, challenger.at, Math.max(1, limits.rows_min)) : 0;
  const step = nextStep({ deployment, entries: entries(), figures, champion_rows, now_ms }, plan, limits);
  if ('wait' in step) return { deployment, step, written: false };

  const ground = groundOf(deployment);
  const entry = ledgerEntry({ ...step, model, at: now_ms, by: ROLLOUT, evidence: figures === undefined ? '' : JSON.stringify(figures) }, ground);
  const written = await decide(decider, model, (now) => {
    const there = now.some(({ entry_id }) => entry_id === entry.entry_id);
    return there || groundOf(deploymentOf(now, manifests())) !== ground ? undefined : { entries: [entry] };
  });
  if (written !== undefined) log.info('rollout_decided', { model, action: entry.action, version: entry.version, share: entry.share, champion: entry.champion, reason: entry.reason });
  return { deployment, step, written: written !== undefined };
}

/** What a step rests on: the entries that put champion and challenger where they are. */
const groundOf = ({ entry_id, champion, challenger }: Deployment): string => `${champion}:${entry_id}:${challenger?.entry_id ?? ''}`;
