import type { ModelManifest } from '../../../schemas/events/model.js';
import type { Importance } from '../importance.js';
import type { Comparison } from './compare.js';
import type { Costs, Verdict } from './verdict.js';

/** What the gate says of a candidate. */
export interface GateFacts {
  readonly comparison: Comparison;
  readonly costs: Costs;
  readonly verdict: Verdict;
  readonly champion: string | undefined;
  readonly seen_by_champion: number;
}

/** How a version enters service, or that it does not. */
export type Entrance = 'promoted' | 'canary' | 'shadow' | 'registered' | 'refused';

/** All that is to be known of a version by who has to answer for it. It stands as JSON in the manifest, and as Markdown beside the logs. */
export interface ModelCard {
  readonly format: 1;
  readonly model: string;
  readonly version: string;
  readonly family: string;
  /** Epoch milliseconds, as are all times here. */
  readonly created_at: number;
  readonly view: { readonly name: string; readonly version: number; readonly features: number };
  readonly data: {
    readonly from: number; readonly to: number; readonly rows: number; readonly hash: string; readonly dataset_id: string;
    readonly held_out: { readonly from: number; readonly to: number; readonly rows: number; readonly customers: number; readonly churned: number };
  };
  readonly parameters: Readonly<Record<string, string>>;
  /** Figures of the training; those with intervals are in `comparison`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly comparison: Comparison;
  readonly champion: string | null;
  readonly seen_by_champion: number;
  readonly costs: Costs;
  readonly importances: readonly Importance[];
  readonly training?: TrainingFacts;
  readonly decision: {
    readonly entrance: Entrance;
    readonly outcome: Verdict['outcome'];
    readonly reason: string;
    readonly checks: Verdict['checks'];
    readonly by: string;
    readonly retrain_event_id: string;
    /** Why a model was asked for: the retrain event's own words; empty where there is none. */
    readonly asked_because: string;
  };
}

/** How the version was chosen, and what was found in its data. */
export interface TrainingFacts {
  /** Each family in cross-validation, the chosen one first. */
  readonly families: readonly { readonly family: string; readonly trials: number; readonly metrics: Readonly<Record<string, number>> }[];
  /** Calibrations on predictions that they were not fitted on. */
  readonly calibrations: readonly { readonly method: string; readonly calibration_error: number; readonly log_loss: number }[];
  /** Expectations that did not hold, in words. */
  readonly warnings: readonly string[];
  /** What was left out, by rule. */
  readonly cleaning: readonly { readonly rule: string; readonly leaves_out: string; readonly count: number }[];
}

export interface CardInput {
  readonly manifest: Omit<ModelManifest, 'onnx_bytes' | 'onnx_sha256' | 'chunk_count'>;
  readonly gate: GateFacts;
  readonly held_out: { readonly from: number; readonly to: number };
  readonly importances: readonly Importance[];
  readonly training?: TrainingFacts;
  readonly decision: Pick<ModelCard['decision'], 'entrance' | 'reason' | 'by' | 'retrain_event_id' | 'asked_because'>;
}

export function cardOf({ manifest, gate, held_out, importances, training, decision }: CardInput): ModelCard {
  const { comparison, verdict } = gate;
  return {
    format: 1,
    model: manifest.model, version: manifest.version, family: manifest.family, created_at: manifest.created_at,
    view: { name: manifest.view, version: manifest.view_version, features: manifest.features.length },
    data: {
      from: manifest.data_from, to: manifest.data_to, rows: manifest.data_rows, hash: manifest.data_hash, dataset_id: manifest.dataset_id,
      held_out: { ...held_out, rows: comparison.rows, customers: comparison.customers, churned: comparison.churned },
    },
    parameters: manifest.parameters, metrics: manifest.metrics,
    comparison, champion: gate.champion ?? null, seen_by_champion: gate.seen_by_champion, costs: gate.costs, importances,
    ...(training === undefined ? {} : { training }),
    decision: { ...decision, outcome: verdict.outcome, checks: verdict.checks },
  };
}

/** Reads a card out of a manifest; undefined where it has none, or one of another form. */
export function readCard(card: string): ModelCard | undefined {
  if (card === '') return undefined;
  try {
    const read = JSON.parse(card) as Partial<ModelCard>;
    return read.format === 1 ? (read as ModelCard) : undefined;
  } catch {
    return undefined;
  }
}
