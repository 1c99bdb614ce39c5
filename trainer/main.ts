import type { ModelManifest, ModelStage } from '../schemas/events/model.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { TOPICS } from '../schemas/topics.js';
import type { Progress } from '../runtime/embedded/maven.js';
import { createKafka } from '../runtime/kafka/client.js';
import { ensureTopics } from '../runtime/kafka/topics.js';
import type { Log } from '../runtime/log.js';
import { createManifestCodec } from '../runtime/models/codec.js';
import { publishModel, sized } from '../runtime/models/publish.js';
import { createRegistry } from '../runtime/registry/registry.js';
import type { Settings } from '../runtime/settings.js';
import { storeModel } from './artifacts/store.js';
import { trainCandidate } from './candidate.js';
import type { History } from './dataset/read.js';
import type { ManifestDraft } from './manifest.js';

export interface TrainOptions {
  /** Default: champion, which scorers serve at once. */
  readonly stage?: ModelStage;
  /** Instead of the defaults: names and bounds in core/parameters.ts. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** False: train and check only. */
  readonly publish?: boolean;
  readonly view?: FeatureView;
  /** Told while XGBoost's library is fetched. */
  readonly progress?: Progress;
}

export interface TrainResult {
  readonly manifest: ModelManifest;
  readonly onnx: Buffer;
  readonly published: boolean;
  readonly history: History;
  readonly took_ms: number;
}

/**
 * One training from end to end: history, rows, model, ONNX, check, `models`.
 * @throws TidemarkError TRAINING_DATA_INSUFFICIENT, MODEL_CHECK_FAILED, CONFIG_INVALID, REQUIREMENT_MISSING, CLICKHOUSE_*, …
 */
export async function train(settings: Settings, log: Log, options: TrainOptions = {}): Promise<TrainResult> {
  const started = performance.now();
  const { publish = true, stage = 'champion', ...rest } = options;
  const { run, manifest: draft, onnx, history } = await trainCandidate(settings, log, { ...rest, stage, store: publish });
  // Before it is published: whatever serves can be looked up.
  if (publish) await run.stage('store_model', () => storeModel(settings, sized(draft, onnx), onnx), (place) => ({ place }));
  const manifest = publish
    ? await run.stage('publish', () => publishVersion(settings, log, draft, onnx), ({ version, stage, chunk_count }) => ({ version, model_stage: stage, chunk_count }))
    : sized(draft, onnx);
  const took_ms = Math.round(performance.now() - started);
  log.info('trained', { version: manifest.version, published: publish, took_ms, ...manifest.metrics });
  return { manifest, onnx, published: publish, history, took_ms };
}

async function publishVersion(settings: Settings, log: Log, draft: ManifestDraft, onnx: Buffer): Promise<ModelManifest> {
  const kafka = createKafka(settings, log, 'transactional');
  await ensureTopics(kafka, settings, [TOPICS.models]);
  return publishModel(kafka, createManifestCodec(createRegistry(settings, log)), draft, onnx);
}
