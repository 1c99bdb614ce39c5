import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Log } from '../../../runtime/log.js';
import { SETTINGS } from '../../../runtime/settings.js';
import { MANIFEST_DEFAULTS } from '../../../schemas/events/model.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { featureNames, predictionsAvro } from '../../../schemas/features/derive.js';
import { createApiLog } from '../../../scorer/api-log/log.js';
import { createScoreQueue } from '../../../scorer/api/score-queue.js';
import { serve } from '../../../scorer/api/server.js';
import { createBulk } from '../../../scorer/bulk/bulk.js';
import { createCachedCalls } from '../../../scorer/model/cached-calls.js';
import { createModelCalls } from '../../../scorer/model/calls.js';
import { createModelHolder } from '../../../scorer/model/swap.js';
import { createScorerMetrics } from '../../../scorer/observe/metrics.js';
import { createProbe } from '../../../scorer/observe/health.js';
import { createScorerState } from '../../../scorer/observe/state.js';
import { openOnlineStore } from '../../../scorer/store/online-store.js';
import { benchHub } from './hub.js';

/**
 * The scorer's own server, queue, model holder, bulk worker and log, without Kafka, on the harness' model: 20 values, as the
 * default view has. Scores are remembered where CACHE_ROWS says so, which the peers do not. The log's blocks are written and then let go: the peers have no log at all.
 */
const { MODEL = '', PORT = '0', FOLDER = '', CACHE_ROWS = '0', BULK_THREADS } = process.env;
const folder = dirname(MODEL);
const rows = readFileSync(join(folder, 'rows.jsonl'), 'utf8').split('\n').slice(0, 64).map((line) => JSON.parse(line) as number[]);
const scores = (JSON.parse(readFileSync(join(folder, 'ref.json'), 'utf8')) as number[]).slice(0, 64);
const log = new Log('bench', 'error', (line) => process.stderr.write(line));
const metrics = createScorerMetrics();
const holder = createModelHolder({ view, log });
const names = featureNames(view);
const store = await openOnlineStore({ folder: FOLDER, layout: predictionsAvro(view), clusterId: 'bench' });
const apiLog = createApiLog({ viewVersion: view.version, width: names.length, bytesMax: 2 ** 26, log, send: () => Promise.resolve() });
const cached = createCachedCalls({ holder, calls: createModelCalls({ holder, log }), featureCount: names.length, cacheRows: Number(CACHE_ROWS), observe: (count, ms) => metrics.modelCall('api', count, ms) });
metrics.watchCache(cached.counts);
const queue = createScoreQueue({ holder, calls: cached, fallbackScore: 0.5, featureCount: names.length, threshold: 0.5, clock: Date.now });
const bulk = createBulk({ view, holder, threshold: 0.5, model: 'churn', threads: SETTINGS.SCORER_BULK_THREADS.parse(BULK_THREADS), log, apiLog, latest: (id) => store.get(id), observe: (count, ms) => metrics.modelCall('bulk', count, ms) });
const onnx = readFileSync(MODEL);
const offered = await holder.offer({
  onnx,
  manifest: {
    ...MANIFEST_DEFAULTS, model: 'churn', version: '20260101T000000Z-bench', stage: 'champion', family: 'xgboost', view: view.name, view_version: view.version, features: names, created_at: 0,
    onnx_bytes: onnx.length, onnx_sha256: '', chunk_count: 1, metrics: {}, parameters: {}, data_hash: '', data_from: 0, data_to: 0, data_rows: 0, test_inputs: rows, test_outputs: scores,
  },
});
if (!offered) throw new Error('the model was refused');
const up = createProbe(() => Promise.resolve());
const state = createScorerState({ holder, store, tasks: () => [], kafka: up, registry: up });
const server = await serve({ view, log, queue, bulk, apiLog, holder, metrics, ...benchHub(view), latest: (id) => store.get(id), health: state.health, serves: () => true }, '127.0.0.1', Number(PORT));
process.on('SIGTERM', () => void Promise.all([server.stop(), bulk.close()]).then(() => process.exit(0)));
