import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Log } from '../../runtime/log.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { frame } from '../../runtime/registry/wire-format.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames, predictionsAvro } from '../../schemas/features/derive.js';
import { chooseChunkRows } from '../../scorer/core/chunk.js';
import { createBulk } from '../../scorer/bulk/bulk.js';
import { createScoreQueue } from '../../scorer/api/score-queue.js';
import { serve, type ServerParts } from '../../scorer/api/server.js';
import { requestsHealth } from '../../scorer/observe/api-health.js';
import { createProbe } from '../../scorer/observe/health.js';
import { createLive, type Live, type LiveOptions } from '../../scorer/live/live.js';
import { createLivePage, type LivePageOptions } from '../../scorer/page/page.js';
import { createScorerMetrics, type ScorerMetrics } from '../../scorer/observe/metrics.js';
import { createCachedCalls } from '../../scorer/model/cached-calls.js';
import { createModelCalls } from '../../scorer/model/calls.js';
import type { LoadedModel } from '../../scorer/model/load.js';
import { createModelHolder, type ModelHolder } from '../../scorer/model/swap.js';
import type { Scored } from '../../scorer/stream/score-records.js';
import { createScorerState } from '../../scorer/observe/state.js';
import { openOnlineStore, type OnlineStore } from '../../scorer/store/online-store.js';

export interface TestScorer {
  readonly port: number;
  readonly url: string;
  readonly holder: ModelHolder;
  readonly store: OnlineStore;
  readonly live: Live;
  readonly metrics: ScorerMetrics;
  readonly calls: number[];
  /** What a commit does: subscribers and the store, in this order. */
  commit(rows: readonly Scored[]): void;
  /** The server ends as the scorer's does, before the test is over. */
  stop(): Promise<void>;
}

export const LIVE_SETTINGS: LiveOptions['settings'] = { LIVE_CLIENTS_MAX: 10_000, LIVE_CLIENTS_PER_CALLER_MAX: 1000, LIVE_WAITING_BYTES: 131_072, LIVE_RESUME_BYTES: 16_777_216, LIVE_COMPRESSION: false };
export interface TestScorerOptions extends Partial<ServerParts> {
  readonly liveSettings?: Partial<LiveOptions['settings']>;
  readonly listenOn?: number;
  /** The live page as well. */
  readonly livePage?: Pick<LivePageOptions, 'settings' | 'requestRetraining'>;
  /** Makes the model take so long for a row, and be known to. */
  readonly rowMs?: number;
  /** 0 unless given: calls are counted. */
  readonly cacheRows?: number;
}

const asleep = new Int32Array(new SharedArrayBuffer(4));

/** A holder whose models hold the thread up for `rowMs` a row, without taking CPU from others. */
function slowed(rowMs: number | undefined, holder: ModelHolder): ModelHolder {
  if (rowMs === undefined) return holder;
  let given: LoadedModel | undefined;
  let slow: LoadedModel | undefined;
  const costs = [{ rows: 1, us_per_row: rowMs * 1000 }];
  return {
    ...holder,
    current() {
      const model = holder.current();
      if (model === given) return slow;
      given = model;
      slow = model && {
        ...model, costs, chunkRows: chooseChunkRows(costs),
        session: { ...model.session, score(matrix, rows, out, outAt) { Atomics.wait(asleep, 0, 0, rows * rowMs); model.session.score(matrix, rows, out, outAt); } },
      };
      return slow;
    },
  };
}

/** The real server, model holder, hub and store of a scorer on a free port, without Kafka. */
export async function startTestScorer(t: { teardown(end: () => Promise<void>): unknown }, { liveSettings, listenOn, livePage, rowMs, cacheRows = 0, ...more }: TestScorerOptions = {}): Promise<TestScorer> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-scorer-'));
  const log = new Log('test', 'error', (line) => process.stderr.write(line));
  const store = await openOnlineStore({ folder, layout: predictionsAvro(view), clusterId: 'none' });
  const metrics = createScorerMetrics();
  const holder = slowed(rowMs, createModelHolder({ view, log: new Log('test', 'error', () => undefined), onSwap: metrics.modelSwapped, onRefused: metrics.modelRefused }));
  const live = createLive({ view, settings: { ...LIVE_SETTINGS, ...liveSettings }, latest: (id) => store.get(id) });
  const calls: number[] = [];
  const featureCount = view.features.length;
  const cached = createCachedCalls({ holder, calls: createModelCalls({ holder, log }), featureCount, cacheRows, observe: (rows, ms) => { calls.push(rows); metrics.modelCall('api', rows, ms); } });
  metrics.watchCache(cached.counts);
  const queue = createScoreQueue({ holder, calls: cached, fallbackScore: 0.5, featureCount, threshold: 0.5, clock: Date.now });
  const tasks = (): { partition: number; lag: number; open: boolean }[] => [{ partition: 0, lag: 3, open: true }];
  const up = createProbe(() => Promise.resolve());
  const state = createScorerState({ holder, store, tasks, kafka: up, registry: up, more: () => ({ clickhouse: { status: 'up' }, requests: requestsHealth(queue.counts, { waiting: 0, refused: 0, timed_out: 0 }) }) });
  metrics.watch({ live, lag: tasks, customers: () => store.stats().customers });
  const bulk = createBulk({ view, holder, threshold: 0.5, model: 'churn', threads: 2, log, latest: (id) => store.get(id), observe: (rows, ms) => metrics.modelCall('bulk', rows, ms), ...(more.apiLog === undefined ? {} : { apiLog: more.apiLog }) });
  const page = livePage === undefined ? undefined : createLivePage({ ...livePage, view, log, store, holder, health: state.health });
  const server = await serve({ view, log, queue, live, metrics, bulk, holder, latest: (id) => store.get(id), health: state.health, serves: state.serves, ...(page === undefined ? {} : { page: page.root, pageRoutes: page.routes }), ...more }, '127.0.0.1', listenOn ?? 0);
  let ended: Promise<void> | undefined;
  const stop = (): Promise<void> => ended ??= server.stop();
  const commit = (rows: readonly Scored[]): void => {
    page?.seen(rows);
    live.hub.publish(rows);
    for (const { customerId, prediction } of rows) void store.put(0, 0, [{ customerId, value: prediction }]);
  };
  t.teardown(async () => {
    await stop();
    await bulk.close();
    await page?.close();
    await store.close();
    holder.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { port: server.port, url: `http://127.0.0.1:${server.port}`, holder, store, live, metrics, calls, commit, stop };
}

const type = avroType(predictionsAvro(view));
const names = featureNames(view);

/** A committed prediction of a customer, as the task hands it on. */
export function scored(customerId: string, n: number, score: number, values: readonly number[] = names.map((_, i) => i), partition = 0, more: Partial<Record<'model_version' | 'channel' | 'event_id', string>> = {}): Scored {
  const at = 1_700_000_000_000 + n;
  const prediction = frame(1, type.toBuffer({
    prediction_id: `${partition}-${n}`, customer_id: customerId, event_id: `e-${n}`, event_time: at, scored_at: at + 20, score, decision: score >= 0.5 ? 'at_risk' : 'keep',
    model_version: 'v1', view_version: 1, trigger: 'event', degraded: false, runtime: 'ort/1 test', produced_at: at + 5, features_at: at + 10, channel: 'web', ...Object.fromEntries(names.map((name, i) => [name, values[i]])), ...more,
  }));
  return { customerId, key: Buffer.from(customerId), prediction, producedAt: at + 5, featuresAt: at + 10, scoredAt: at + 20 };
}
