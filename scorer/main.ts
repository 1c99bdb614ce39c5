import { TidemarkError } from '../runtime/errors.js';
import { createKafka } from '../runtime/kafka/client.js';
import { runPartitionTasks, type PartitionTasks } from '../runtime/kafka/partition-tasks.js';
import { createStartOffsets } from '../runtime/kafka/start-offsets.js';
import type { Stoppable } from '../runtime/lifecycle.js';
import type { Log } from '../runtime/log.js';
import { createManifestCodec } from '../runtime/models/codec.js';
import { createLedgerCodec } from '../runtime/models/ledger.js';
import { AvroTypes } from '../runtime/registry/avro-types.js';
import { createRegistry } from '../runtime/registry/registry.js';
import type { Settings } from '../runtime/settings.js';
import { customerActivity as view } from '../schemas/features/customer-activity.js';
import { predictionsAvro } from '../schemas/features/derive.js';
import { SCORER_GROUP } from '../schemas/groups.js';
import { subjectOf, TOPICS } from '../schemas/topics.js';
import { createApiParts } from './api/parts.js';
import { serve } from './api/server.js';
import { createCanonical } from './stream/canonical.js';
import { createFreshness } from './observe/freshness.js';
import { createProbe } from './observe/health.js';
import { createLive } from './live/live.js';
import { createLivePage, type RequestRetraining } from './page/page.js';
import { createScorerMetrics } from './observe/metrics.js';
import { createModelCalls } from './model/calls.js';
import { startModelSource } from './model/source.js';
import { createModelHolder } from './model/swap.js';
import { createTrialHolder } from './model/trial.js';
import { createCompare } from './stream/comparisons.js';
import { openSecurity } from './security/open.js';
import { createRestore } from './stream/restore.js';
import { createRecordScorer } from './stream/score-records.js';
import { createScoreTask } from './stream/score-task.js';
import { createSkipLog } from './stream/skip-log.js';
import { prepareScorerTopics } from './stream/topics.js';
import { createScorerState } from './observe/state.js';
import { onlineStoreFolder } from './store/folder.js';
import { openOnlineStore } from './store/online-store.js';

/**
 * The scorer: listens at once, takes records as soon as a first model serves.
 * @param fail called when the process cannot go on
 */
export async function startScorer(settings: Settings, log: Log, fail: (error: unknown) => void, requestRetraining?: RequestRetraining): Promise<Stoppable & { readonly port: number }> {
  const kafka = createKafka(settings, log);
  const registry = createRegistry(settings, log);
  const metrics = createScorerMetrics();
  const { partitions, featuresId, predictionsId, shadowId } = await prepareScorerTopics(kafka, registry, settings, view);
  const admin = kafka.admin();
  await admin.connect();
  const store = await openOnlineStore({ folder: onlineStoreFolder(settings, view), layout: predictionsAvro(view), clusterId: (await admin.describeCluster()).clusterId });
  const onWornOut = (): void => fail(new TidemarkError('INTERNAL', 'this process has loaded as many models as it may: it ends in order to be started afresh'));
  const holder = createModelHolder({ view, log, onSwap: metrics.modelSwapped, onRefused: metrics.modelRefused, onWornOut });
  const trial = createTrialHolder({ view, log, onChange: metrics.trialChanged, onWornOut });
  const calls = createModelCalls({ holder, log, onFailed: metrics.modelFailed });
  const live = createLive({ view, settings, latest: (id) => store.get(id) });
  void store.each(live.learn).catch(fail);
  const api = createApiParts({ settings, view, log, holder, trial, calls, metrics, latest: (id) => store.get(id) });
  let tasks: PartitionTasks | undefined;
  const [freshness, kafkaProbe] = [createFreshness(), createProbe(() => admin.describeCluster())];
  const state = createScorerState({
    holder, trial, calls, store, tasks: () => tasks?.state(),
    kafka: kafkaProbe, more: api.health, staleS: () => freshness.worst(Date.now()),
    registry: createProbe(() => registry.client.getCompatibility(subjectOf(TOPICS.predictions.name))),
  });
  const page = createLivePage({ settings, view, log, store, holder, health: state.health, requestRetraining });
  metrics.watch({ live, page, lag: () => tasks?.state() ?? [], customers: () => store.stats().customers });
  const security = await openSecurity(settings, log, metrics.register);
  const server = await serve({ ...security, ...api.parts, view, log, live, metrics, page: page.root, pageRoutes: page.routes, latest: (id) => store.get(id), health: state.health, serves: state.serves, asOf: freshness.of }, settings.SCORER_HOST, settings.SCORER_PORT);
  const offsets = await createStartOffsets(kafka, SCORER_GROUP, TOPICS.features.name);
  const canonical = createCanonical(new AvroTypes(registry, subjectOf(TOPICS.features.name)), view, featuresId);
  const restore = createRestore({ kafka, store, offsets, log, progress: metrics.restored });
  const source = await startModelSource({ kafka, codec: createManifestCodec(registry), ledger: createLedgerCodec(registry), log, model: settings.MODEL_NAME, view, holder, trial, shadowShare: settings.SHADOW_SHARE, booked: api.booked });

  const compare = createCompare({ view, log, schemaId: shadowId, timeShare: settings.SHADOW_TIME_SHARE, metrics });
  const noteSkip = createSkipLog(log);
  let stopping = false;
  if (holder.current() === undefined) log.info('waiting_for_model', { model: settings.MODEL_NAME, view: view.name, view_version: view.version });
  const consuming = holder.ready().then(async () => {
    if (stopping) return;
    tasks = await runPartitionTasks({
      settings, log, fail, groupId: SCORER_GROUP, topic: TOPICS.features.name, partitions,
      ready: () => state.held() === undefined, reachable: () => kafkaProbe.state().status !== 'down',
      fetched: (batches) => { if (batches === 0) freshness.caughtUp(tasks?.state() ?? [], Date.now()); },
      observe: { batch: metrics.batch, rolledBack: metrics.rolledBack },
      createTask: (partition) => createScoreTask({
        partition, store, restore,
        score: createRecordScorer({
          partition, view, canonical, holder, calls, fallbackScore: settings.FALLBACK_SCORE, trial: trial.current, comparison: compare(partition), predictionsSchemaId: predictionsId, threshold: settings.DECISION_THRESHOLD, clock: Date.now,
          skipped: (reason, record, why) => { metrics.skipped(reason); noteSkip(reason, { partition, offset: record.offset, why }); },
          scored: (rows, ms) => metrics.modelCall('stream', rows, ms),
          newerVersion: state.hold,
        }),
        restored: (rows) => { for (const { customerId, prediction } of rows) if (prediction !== null) live.learn(customerId, prediction); },
        publish(at, committed) { freshness.committed(at, committed); metrics.committed(committed, Date.now()); page.seen(committed); live.hub.publish(committed); },
      }),
    });
  });
  consuming.catch(fail);

  return {
    port: server.port,
    async stop() {
      stopping = true;
      state.drain();
      const drained = server.drain(settings.SCORER_DRAIN_MS);
      await source.stop();
      if (holder.current() !== undefined) await consuming.catch(() => undefined);
      await tasks?.stop();
      await drained;
      await Promise.all([security.stop(), api.stop()]);
      await Promise.all([offsets.close(), admin.disconnect(), page.close()]);
      await store.close();
      holder.close();
      trial.close();
    },
  };
}
