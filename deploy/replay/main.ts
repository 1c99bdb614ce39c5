import { createClickHouse, onClickHouse } from '../../runtime/clickhouse.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { decide } from '../../scorer/core/decision.js';
import { compileReducer } from '../../stream-processors/features/core/reducer.js';
import { vectorFromEvents, type FromEvents } from './from-events.js';
import { findModel } from './model.js';
import { rescore } from './score.js';
import { placeOf, readEventBefore, readEvents, readPrediction, type StoredPrediction } from './stored.js';

export interface Compared<T> {
  readonly stored: T;
  readonly again: T;
  readonly equal: boolean;
}

export interface Replay {
  readonly prediction: Omit<StoredPrediction, 'values'>;
  readonly model: { readonly model: string; readonly version: string; readonly family: string; readonly onnx_sha256: string; readonly source: 'artifacts' | 'models' };
  /** Of the scorer that made the prediction (empty: not recorded), and of this process. */
  readonly runtime: Compared<string>;
  /** Of the training that made the model. */
  readonly trained_with: string;
  /** From the stored vector. */
  readonly score: Compared<number> & { readonly rows: number };
  /** Under the DECISION_THRESHOLD of now. */
  readonly decision: Compared<string>;
  /** From the raw events; empty where `events` is text. */
  readonly features: readonly (Compared<number> & { readonly feature: string })[];
  /** How far the events were taken in, or why there is nothing to compare. */
  readonly events: Omit<FromEvents, 'values'> | string;
  /** The score from the stored vector, and every feature from the raw events. */
  readonly equal: boolean;
}

/**
 * Computes a landed prediction anew: its score from the stored vector and the model's bytes, and its vector from the customer's landed events.
 * @throws TidemarkError NOT_FOUND, INPUT_INVALID, ARTIFACTS_UNREACHABLE, CLICKHOUSE_*, MODEL_INVALID, …
 */
export async function replayPrediction(settings: Settings, log: Log, prediction_id: string, view: FeatureView = customerActivity): Promise<Replay> {
  const { partition } = placeOf(prediction_id);
  const client = createClickHouse(settings);
  try {
    return await onClickHouse(settings, `replay of ${prediction_id}`, async () => {
      const { values, ...prediction } = await readPrediction(client, prediction_id);
      const { manifest, onnx, source } = await findModel(settings, log, prediction.model_version);
      const vector = manifest.features.map((name) => values.get(name) ?? NaN);
      const rescored = rescore(onnx, `${manifest.model} ${manifest.version}`, vector, prediction);
      const names = featureNames(view);
      const expected = names.map((name) => values.get(name) ?? NaN);
      const again = prediction.view_version !== view.version
        ? `made by version ${prediction.view_version} of view ${view.name}, this release has ${view.version}: its vector can be made by that release only`
        : await vectorFromEvents(compileReducer(view), readEvents(client, prediction.customer_id, partition), prediction, expected,
          prediction.trigger === 'sweep' ? await readEventBefore(client, { ...prediction, values }) : undefined)
          ?? 'its event is not among the customer’s landed events: not landed yet, or deleted after EVENTS_TTL_DAYS';
      const features = typeof again === 'string' ? [] : names.map((feature, i) => ({ feature, ...compared(expected[i]!, again.values[i]!) }));
      const score = { ...compared(prediction.score, rescored.score), rows: rescored.rows };
      return {
        prediction, features, score,
        model: { model: manifest.model, version: manifest.version, family: manifest.family, onnx_sha256: manifest.onnx_sha256, source },
        runtime: compared(prediction.runtime, rescored.runtime),
        trained_with: trainedWith(manifest.parameters),
        decision: compared(prediction.decision, decide(rescored.score, settings.DECISION_THRESHOLD) as string),
        events: typeof again === 'string' ? again : { records: again.records, duplicates: again.duplicates, too_late: again.too_late, until: again.until },
        equal: score.equal && features.length > 0 && features.every(({ equal }) => equal),
      };
    });
  } finally {
    await client.close();
  }
}

/** Equal bit for bit; NaN, a missing value, has many patterns of bits and one meaning. */
const compared = <T extends number | string>(stored: T, again: T): Compared<T> =>
  ({ stored, again, equal: Object.is(stored, again) });

const trainedWith = ({ onnxruntime, platform }: Readonly<Record<string, string>>): string => (onnxruntime === undefined ? 'not known' : `onnxruntime ${onnxruntime}, ${platform ?? ''}`);
