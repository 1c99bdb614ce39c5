import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../runtime/errors.js';
import { explainableOf, marginOf, type Explainable } from './core/explainable.js';
import { UnknownForm } from '../../schemas/onnx/trees.js';
import { MODELS_KEPT, type ExplainMessage, type FromExplainer, type LoadMessage, type ToExplainer } from './messages.js';

/** The thread of explanations: reading a model takes tens of milliseconds, a row of a large forest several, and neither may hold up a score. */
const port = parentPort!;
const models = new Map<number, { readonly features: number; readonly model: Explainable | string }>();

port.on('message', (message: ToExplainer) => {
  if (message.kind === 'load') load(message);
  else port.postMessage(explain(message));
});

function load({ key, onnx, features, test_rows, test_scores }: LoadMessage): void {
  let model: Explainable | string;
  try {
    model = explainableOf(onnx, features, { rows: test_rows, scores: test_scores });
  } catch (error) {
    if (!(error instanceof UnknownForm || error instanceof RangeError)) throw error;
    model = messageOf(error);
  }
  models.set(key, { features, model });
  for (const old of [...models.keys()].slice(0, Math.max(0, models.size - MODELS_KEPT))) models.delete(old);
}

function explain({ id, key, rows, count }: ExplainMessage): FromExplainer {
  const { features, model } = models.get(key)!;
  if (typeof model === 'string') return { kind: 'refused', id, reason: model };
  const contributions = new Float64Array(count * features);
  model.contributions(rows, count, contributions);
  const margins = Float64Array.from({ length: count }, (_, row) => marginOf(model.base_value, contributions, row * features, features));
  return { kind: 'explained', id, unit: model.unit, calibration: model.calibration, base_value: model.base_value, contributions, margins, scores: margins.map((margin) => model.scoreOf(margin)) };
}
