import { userInfo } from 'node:os';
import type { ModelManifest } from '../schemas/events/model.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { TidemarkError } from '../runtime/errors.js';
import type { Progress } from '../runtime/embedded/maven.js';
import type { Log } from '../runtime/log.js';
import { sized } from '../runtime/models/publish.js';
import type { Settings } from '../runtime/settings.js';
import { trainCandidate } from './candidate.js';
import type { ModelCard } from './core/gate/card.js';
import type { History } from './dataset/read.js';
import { connectDecider } from './gate/connect.js';
import { entranceSettings, type EntranceMode } from './gate/decision.js';
import { deliver } from './gate/deliver.js';
import { trySyncMlflow } from './mlflow/sync.js';

export interface TrainOptions {
  /** How far a version goes that the gate accepts; default: ROLLOUT_MODE. */
  readonly mode?: EntranceMode;
  /** Deploy what the gate refuses; the ledger says so. */
  readonly force?: boolean;
  /** Instead of the defaults: names and bounds in core/parameters.ts. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** False: train and check only. */
  readonly publish?: boolean;
  readonly view?: FeatureView;
  /** Who decides, as the ledger has it; default: `user:` and the name of the operating system's user. */
  readonly by?: string;
  /** Told while XGBoost's library is fetched. */
  readonly progress?: Progress;
}

export interface TrainResult {
  readonly manifest: ModelManifest;
  readonly onnx: Buffer;
  readonly published: boolean;
  /** What the gate found; undefined where nothing is published. */
  readonly card: ModelCard | undefined;
  readonly history: History;
  readonly took_ms: number;
}

/** A training waits no longer for MLflow. */
const MLFLOW_MS_MAX = 30_000;

/**
 * One training from end to end: history, rows, model, ONNX, check, gate, `models` and ledger.
 * @throws TidemarkError TRAINING_DATA_INSUFFICIENT, MODEL_CHECK_FAILED, CONFIG_INVALID, REQUIREMENT_MISSING, CLICKHOUSE_*, TRANSACTION_FAILED, …
 */
export async function train(settings: Settings, log: Log, options: TrainOptions = {}): Promise<TrainResult> {
  const started = performance.now();
  const { publish = true, force = false, by = `user:${userName()}`, mode, ...rest } = options;
  const candidate = await trainCandidate(settings, log, { ...rest, store: publish });
  const { onnx, history } = candidate;
  const delivered = publish ? await deliver(settings, await connectDecider(settings, log), candidate, {
    by, force, ...entranceSettings(settings, mode), retrain_event_id: '', asked_because: '',
  }) : undefined;
  if (publish && delivered === undefined) throw new TidemarkError('INTERNAL', 'a training that no event asked for cannot have been answered');
  if (publish) await trySyncMlflow(settings, log, MLFLOW_MS_MAX);
  const manifest = delivered?.version.manifest ?? sized(candidate.manifest, onnx);
  const took_ms = Math.round(performance.now() - started);
  log.info('trained', { version: manifest.version, published: publish, entrance: delivered?.card.decision.entrance ?? null, took_ms, ...manifest.metrics });
  return { manifest, onnx, published: publish, card: delivered?.card, history, took_ms };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a process may run under a number without a name
  }
}
