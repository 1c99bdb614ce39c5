import type { FeatureView } from '../../../schemas/features/declaration.js';

/** A prediction as it landed. Times are epoch milliseconds; NaN is a missing value. */
export interface LandedPrediction {
  readonly event_id: string;
  /** Null where the event has not landed, or a sweep made the prediction. */
  readonly event_type: string | null;
  readonly trigger: string;
  readonly event_time: number;
  readonly score: number;
  readonly model_version: string;
  readonly values: readonly number[];
}

export interface FeatureMove {
  readonly feature: string;
  readonly description: string;
  readonly before: number | null;
  readonly after: number | null;
  /** How much more the feature contributes than before. */
  readonly contribution_change: number;
}

/** What one event did to a customer's score. */
export interface Move {
  readonly event_id: string;
  readonly event_type: string | null;
  readonly trigger: string;
  readonly event_time: string;
  readonly score_before: number;
  readonly score_after: number;
  readonly score_change: number;
  /** The version that made score_after; another one than before changes scores, too. */
  readonly model_version: string;
  readonly margin_change: number;
  /** Features that changed, largest change of contribution first. */
  readonly features: readonly FeatureMove[];
}

/** @param rows a customer's predictions, oldest first, with their contributions and margins by one model. @returns one move for each but the first, latest first */
export function movesOf(view: FeatureView, rows: readonly LandedPrediction[], contributions: Float64Array, margins: Float64Array): Move[] {
  const width = view.features.length;
  return rows.slice(1).map((after, i): Move => {
    const before = rows[i]!;
    const features = view.features.flatMap(({ name, description }, f): FeatureMove[] => {
      const [was, is] = [before.values[f]!, after.values[f]!];
      if (Object.is(was, is) || was === is) return [];
      return [{ feature: name, description, before: known(was), after: known(is), contribution_change: contributions[(i + 1) * width + f]! - contributions[i * width + f]! }];
    });
    return {
      event_id: after.event_id, event_type: after.event_type, trigger: after.trigger, event_time: new Date(after.event_time).toISOString(),
      score_before: before.score, score_after: after.score, score_change: after.score - before.score, model_version: after.model_version,
      margin_change: margins[i + 1]! - margins[i]!, features: features.sort((a, b) => Math.abs(b.contribution_change) - Math.abs(a.contribution_change)),
    };
  }).reverse();
}

const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
