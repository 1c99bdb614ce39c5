import { deploymentOf } from '../../schemas/ledger/deployment.js';
import { TOPICS } from '../../schemas/topics.js';
import { messageOf } from '../../runtime/errors.js';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { createLedgerCodec, readLedger } from '../../runtime/models/ledger.js';
import { readModels } from '../../runtime/models/read.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import { createMlflow } from './client.js';
import { experimentOf, logRun, registered, syncAliases } from './log-run.js';

/** Runs made in one go; the rest follows with the next. */
const RUNS_MAX = 50;
const RETRY_MS_MAX = 600_000;

export interface Synced {
  /** Versions that MLflow did not have. */
  readonly logged: readonly string[];
  readonly aliases: readonly string[];
  /** False where more than RUNS_MAX were missing. */
  readonly complete: boolean;
}

/**
 * Brings MLflow to what `models` and the ledger say: a run and a registered version for each version of the model, the
 * aliases where it serves. All of it follows from the topics, so nothing is lost while MLflow is away.
 * @throws TidemarkError MLFLOW_UNREACHABLE, BROKER_UNREACHABLE, REGISTRY_UNREACHABLE
 */
export async function syncMlflow(settings: Settings, log: Log, kafka: Kafka = createKafka(settings, log), signal?: AbortSignal): Promise<Synced> {
  const model = settings.MODEL_NAME;
  const client = createMlflow(settings, signal);
  const registry = createRegistry(settings, log);
  const numbers = await registered(client, model);
  const { entries } = await readLedger({ kafka, codec: createLedgerCodec(registry), log, model });
  const published = new Map<string, ModelManifest['stage']>();
  const logged: string[] = [];
  let complete = true;
  let experiment: string | undefined;
  await readModels({
    kafka, codec: createManifestCodec(registry), log,
    // One version in memory at a time.
    async onModel(version) {
      const { manifest } = version;
      if (manifest.model !== model) return;
      published.delete(manifest.version);
      published.set(manifest.version, manifest.stage);
      if (numbers.has(manifest.version)) return;
      if (logged.length === RUNS_MAX) return void (complete = false);
      experiment ??= await experimentOf(client, settings.MLFLOW_EXPERIMENT_NAME);
      numbers.set(manifest.version, await logRun(client, experiment, version));
      logged.push(manifest.version);
    },
  });
  const { champion, challenger } = deploymentOf(entries, [...published].map(([version, stage]) => ({ version, stage })));
  const aliases = await syncAliases(client, model, { champion, challenger: challenger?.version }, numbers);
  if (logged.length + aliases.length > 0) log.info('mlflow_synced', { logged, aliases });
  return { logged, aliases, complete };
}

/** One attempt that never fails and takes no longer than this: what it leaves is done by the next. */
export async function trySyncMlflow(settings: Settings, log: Log, msMax: number): Promise<void> {
  if (settings.MLFLOW_TRACKING_URI === undefined) return;
  await syncMlflow(settings, log, undefined, AbortSignal.timeout(msMax)).catch((error: unknown) =>
    log.warn('mlflow_waits', { message: messageOf(error), retried: 'by the trainer, or with the next training' }));
}

/** Keeps MLflow in step while the process runs: looks every MLFLOW_SYNC_INTERVAL_S whether the topics have grown. */
export function followMlflow(settings: Settings, log: Log): Stoppable {
  if (settings.MLFLOW_TRACKING_URI === undefined) return { stop: () => Promise.resolve() };
  const kafka = createKafka(settings, log);
  const abort = new AbortController();
  const intervalMs = settings.MLFLOW_SYNC_INTERVAL_S * 1000;
  const following = (async () => {
    let seen = '';
    let pauseMs = intervalMs;
    while (!abort.signal.aborted) {
      try {
        const ends = JSON.stringify(await Promise.all([TOPICS.models, TOPICS.ledger].map(async ({ name }) => (await offsetRanges(kafka, name))[0]?.high)));
        if (ends !== seen && (await syncMlflow(settings, log, kafka, abort.signal)).complete) seen = ends;
        pauseMs = intervalMs;
      } catch (error) {
        if (abort.signal.aborted) return;
        log.warn('mlflow_waits', { message: messageOf(error), retry_ms: pauseMs });
        pauseMs = Math.min(pauseMs * 2, Math.max(RETRY_MS_MAX, intervalMs));
      }
      await pause(pauseMs, abort.signal);
    }
  })();
  return {
    async stop() {
      abort.abort();
      await following;
    },
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => new Promise((resolve) => {
  if (signal.aborted) return resolve();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});
