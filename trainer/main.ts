import type { ModelManifest, ModelStage } from '../schemas/events/model.js';
import { customerActivity } from '../schemas/features/customer-activity.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { TOPICS } from '../schemas/topics.js';
import { createClickHouse } from '../runtime/clickhouse.js';
import type { Progress } from '../runtime/embedded/maven.js';
import { createKafka } from '../runtime/kafka/client.js';
import { ensureTopics } from '../runtime/kafka/topics.js';
import type { Log } from '../runtime/log.js';
import { createManifestCodec } from '../runtime/models/codec.js';
import { publishModel, sized } from '../runtime/models/publish.js';
import { createRegistry } from '../runtime/registry/registry.js';
import type { Settings } from '../runtime/settings.js';
import { planFor, readDataset, readHistory, type DatasetOptions, type History } from './dataset/read.js';
import { manifestOf } from './manifest.js';
import { stage } from './stage.js';
import { trainModel, type TrainingSet } from './train.js';
import { loadXgboost } from './xgboost/library.js';

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
  const { view = customerActivity, publish = true } = options;
  const library = await stage(log, 'library', () => loadXgboost(settings, options.progress), ({ version }) => ({ xgboost: version }));
  const { history, ...set } = await readTrainingSet({ settings, view }, log);
  const model = await trainModel(set, { library, view, log, threads: settings.TRAIN_THREADS, ...(options.parameters === undefined ? {} : { parameters: options.parameters }) });
  const draft = manifestOf(model, { name: settings.MODEL_NAME, view, stage: options.stage ?? 'champion', created_at: Date.now() });
  const manifest = publish
    ? await stage(log, 'publish', () => publishVersion(settings, log, draft, model.onnx), ({ version, stage, chunk_count }) => ({ version, model_stage: stage, chunk_count }))
    : sized(draft, model.onnx);
  const took_ms = Math.round(performance.now() - started);
  log.info('trained', { version: manifest.version, published: publish, took_ms, ...manifest.metrics });
  return { manifest, onnx: model.onnx, published: publish, history, took_ms };
}

async function readTrainingSet(about: Omit<DatasetOptions, 'client'>, log: Log): Promise<TrainingSet & { history: History }> {
  const client = createClickHouse(about.settings, { requestTimeoutMs: 600_000 });
  try {
    const history = await stage(log, 'history', () => readHistory({ ...about, client }), (found) => ({ ...found }));
    const plan = planFor(history, about.settings);
    const set = await stage(log, 'rows', () => readDataset({ ...about, client }, plan), ({ rows, data_hash, sampling }) => ({ rows: rows.rows, data_hash, ...sampling }));
    return { ...set, history };
  } finally {
    await client.close();
  }
}

async function publishVersion(settings: Settings, log: Log, draft: ReturnType<typeof manifestOf>, onnx: Buffer): Promise<ModelManifest> {
  const kafka = createKafka(settings, log, 'transactional');
  await ensureTopics(kafka, settings, [TOPICS.models]);
  return publishModel(kafka, createManifestCodec(createRegistry(settings, log)), draft, onnx);
}
