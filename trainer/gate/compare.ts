import { setImmediate as nextTurn } from 'node:timers/promises';
import { channelSegment, TRIGGER_SEGMENTS } from '../../schemas/drift/segments.js';
import type { ModelVersion } from '../../runtime/models/assemble.js';
import type { Settings } from '../../runtime/settings.js';
import type { ManifestDraft } from '../manifest.js';
import { startComparison, type Comparison, type GateSample } from '../core/gate/compare.js';
import { judge, SAMPLE_MIN, type Costs, type GateLimits, type Verdict } from '../core/gate/verdict.js';
import { selectRows, type LabelledRows } from '../rows.js';
import { measureCosts } from './cost.js';
import { columnsOf, openModel, scoreRows, type GateModel, type OpenModel } from './score.js';

/** The part of a candidate that the gate looks at. */
export interface GateCandidate {
  readonly manifest: ManifestDraft;
  readonly onnx: Uint8Array;
  /** Rows that it was not trained on, with the tenure band (`tenure=0-30`) and the channel (`web`) of each; empty: none. */
  readonly holdout: { readonly rows: LabelledRows; readonly segments: readonly string[]; readonly channels?: readonly string[] };
}

/** What the gate found, and what follows from it. */
export interface GateResult {
  readonly comparison: Comparison;
  readonly costs: Costs;
  readonly verdict: Verdict;
  /** The champion that it was compared with; undefined where there was none to compare with. */
  readonly champion: string | undefined;
  /** Rows that the champion may have been trained on, which flatters it; used only where too few others are there. */
  readonly seen_by_champion: number;
}

/** Of the bootstrap's draws: the same candidate, champion and rows give the same figures. */
const SEED = 20_260_115;
const ROUNDS_AT_ONCE = 20;

export const limitsOf = (settings: Settings): GateLimits => ({
  metric_tolerance: settings.GATE_METRIC_TOLERANCE,
  segment_tolerance: settings.GATE_SEGMENT_TOLERANCE,
  calibration_tolerance: settings.GATE_CALIBRATION_TOLERANCE,
  latency_ratio_max: settings.GATE_LATENCY_RATIO_MAX,
  size_ratio_max: settings.GATE_SIZE_RATIO_MAX,
});

/**
 * Candidate against champion on the rows held out from the candidate, both scored by ONNX Runtime as they would be served.
 * @param champion undefined where there is none: the candidate's own figures then, and it is to be deployed
 */
export async function compareModels(settings: Settings, candidate: GateCandidate, champion: ModelVersion | undefined): Promise<GateResult> {
  const { rows } = candidate.holdout;
  if (champion === undefined) return measured(settings, candidate, undefined, `${candidate.manifest.model} has no champion: its first version serves`);
  const { view, view_version, version, features, data_to } = champion.manifest;
  const columns = columnsOf(features, rows);
  if (view !== candidate.manifest.view || view_version !== candidate.manifest.view_version || columns === undefined)
    return measured(settings, candidate, undefined,
      `the champion ${version} was made for view ${view} version ${view_version}, which is no longer computed: there is nothing to compare with`);
  const all = [...rows.at.keys()];
  const unseen = all.filter((row) => rows.at[row]! > data_to);
  const enough = isEnough(rows, unseen);
  const result = await measured(settings, only(candidate, enough ? unseen : all), { model: champion, columns });
  return { ...result, champion: version, seen_by_champion: enough ? 0 : all.length - unseen.length };
}

function isEnough(rows: LabelledRows, kept: readonly number[]): boolean {
  const churned = kept.reduce((sum, row) => sum + rows.labels[row]!, 0);
  return kept.length >= SAMPLE_MIN.rows && Math.min(churned, kept.length - churned) >= SAMPLE_MIN.of_each_class
    && new Set(kept.map((row) => rows.customer[row])).size >= SAMPLE_MIN.customers;
}

function only({ manifest, onnx, holdout }: GateCandidate, kept: readonly number[]): GateCandidate {
  const chosen = new Set(kept);
  const pick = (of: readonly string[]): string[] => kept.map((row) => of[row] ?? '');
  return { manifest, onnx, holdout: { rows: selectRows(holdout.rows, (row) => chosen.has(row)), segments: pick(holdout.segments), channels: pick(holdout.channels ?? []) } };
}

async function measured(settings: Settings, candidate: GateCandidate, champion: { model: GateModel; columns: readonly number[] } | undefined, reason = ''): Promise<GateResult> {
  const { rows } = candidate.holdout;
  const opened: OpenModel[] = [];
  try {
    opened.push(openModel(candidate, rows, columnsOf(candidate.manifest.features, rows)!));
    if (champion !== undefined) opened.push(openModel(champion.model, rows, champion.columns));
    const scores: Float64Array[] = [];
    for (const one of opened) scores.push(await scoreRows(one));
    const comparison = await drawn(settings, {
      labels: rows.labels, customer: rows.customer, candidate: scores[0]!, champion: scores[1], segments: segmentRows(candidate.holdout),
    });
    const [own, other] = await measureCosts(opened);
    const costs: Costs = { candidate: own!, champion: other ?? null };
    const verdict: Verdict = champion === undefined ? { outcome: 'deploy', reason, checks: [] } : judge(comparison, costs, limitsOf(settings));
    return { comparison, costs, verdict, champion: undefined, seen_by_champion: 0 };
  } finally {
    for (const { session } of opened) session.release();
  }
}

async function drawn(settings: Settings, sample: GateSample): Promise<Comparison> {
  const run = startComparison(sample, { metric: settings.TRAIN_METRIC, level: settings.GATE_LEVEL, rounds: settings.GATE_BOOTSTRAP_ROUNDS, seed: SEED });
  while (run.advance(ROUNDS_AT_ONCE)) await nextTurn();
  return run.result();
}

/** Channels that are judged, those with the most rows: each has its share of every draw's time. */
const CHANNELS_MAX = 12;

/** Rows by segment: tenure band, channel, and what made the row, an event or a moment in silence. */
function segmentRows({ rows: { on_event }, segments, channels = [] }: GateCandidate['holdout']): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  const add = (to: Map<string, number[]>, name: string, row: number): void => {
    const own = to.get(name);
    if (own === undefined) to.set(name, [row]);
    else own.push(row);
  };
  const by_channel = new Map<string, number[]>();
  segments.forEach((name, row) => {
    if (name !== '') add(rows, name, row);
    add(rows, on_event[row] === 1 ? TRIGGER_SEGMENTS.event : TRIGGER_SEGMENTS.sweep, row);
  });
  channels.forEach((name, row) => { if (name !== '') add(by_channel, channelSegment(name), row); });
  const largest = [...by_channel].sort(([, a], [, b]) => b.length - a.length).slice(0, CHANNELS_MAX);
  return new Map([...rows, ...largest]);
}
