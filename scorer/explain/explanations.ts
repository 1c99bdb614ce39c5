import { TidemarkError } from '../../runtime/errors.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { LoadedModel } from '../model/load.js';
import { movesOf, type Move } from './core/moves.js';
import { explanationOf, type Explanation } from './core/words.js';
import type { Explainer } from './explainer.js';
import type { RecentPredictions } from './recent.js';

/** Recent events that moved a customer's score, as JSON says them. */
export interface Recent {
  readonly available: boolean;
  readonly reason?: string;
  /** Latest first. */
  readonly events: readonly Move[];
}

export interface Explanations {
  /** @param version the one that scored the row; where it has gone meanwhile the champion explains. @throws as Explainer.explain */
  ofRow(row: Float32Array, version: string): Promise<Explanation>;
  /** The same with the recent events that moved the customer's score. */
  ofCustomer(customerId: string, row: Float32Array, version: string): Promise<{ readonly explanation: Explanation; readonly recent: Recent }>;
}

export interface ExplanationOptions {
  readonly view: FeatureView;
  readonly explainer: Explainer;
  /** A model of that version, else the champion. */
  modelOf(version: string): LoadedModel | undefined;
  readonly recent: RecentPredictions;
}

export function createExplanations({ view, explainer, modelOf, recent }: ExplanationOptions): Explanations {
  const width = view.features.length;
  function modelFor(version: string): LoadedModel {
    const model = modelOf(version);
    if (model === undefined) throw new TidemarkError('PART_NOT_READY', 'no model serves yet');
    return model;
  }

  async function recentOf(customerId: string, model: LoadedModel): Promise<Recent> {
    const found = await recent(customerId);
    if ('unavailable' in found) return { available: false, reason: found.unavailable, events: [] };
    const rows = new Float32Array(found.length * width);
    found.forEach(({ values }, i) => rows.set(values, i * width));
    if (found.length === 0) return { available: true, events: [] };
    const { contributions, margins } = await explainer.explain(model, rows);
    return { available: true, events: movesOf(view, found, contributions, margins) };
  }

  return {
    async ofRow(row, version) {
      const model = modelFor(version);
      return explanationOf(view, model.manifest.version, await explainer.explain(model, row), row);
    },
    async ofCustomer(customerId, row, version) {
      const model = modelFor(version);
      const [explained, moved] = await Promise.all([explainer.explain(model, row), recentOf(customerId, model)]);
      return { explanation: explanationOf(view, model.manifest.version, explained, row), recent: moved };
    },
  };
}
