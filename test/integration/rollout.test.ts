import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { migrate } from '../../clickhouse/migrate.js';
import { promoteModel, rollBackModel } from '../../deploy/models/change.js';
import { createClickHouse } from '../../runtime/clickhouse.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { decide } from '../../runtime/models/decide.js';
import { createLedgerCodec, followLedger, readLedger } from '../../runtime/models/ledger.js';
import { freePort } from '../../runtime/ports.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import { SHADOW_PREDICTION_AVRO, type ShadowPrediction } from '../../schemas/events/shadow-prediction.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { deploymentOf } from '../../schemas/ledger/deployment.js';
import { ledgerEntry } from '../../schemas/ledger/entry.js';
import { placeOf, saltOf } from '../../schemas/ledger/share.js';
import { TOPICS } from '../../schemas/topics.js';
import { Child } from '../support/child.js';
import { testLog } from '../support/cluster.js';
import { logisticModel } from '../support/onnx.js';
import { seeded, seedOf } from '../support/random.js';
import { startScoringCluster } from '../support/scoring-cluster.js';
import { until as untilWithin } from '../support/wait.js';

const SEED = seedOf(7);
t.comment(`seed ${SEED}`);
t.setTimeout(900_000);
const random = seeded(SEED);
const cluster = await startScoringCluster(t, {
  partitions: 2, clickhouse: true,
  settings: {
    KAFKA_SESSION_TIMEOUT_MS: '6000', LANDING_FLUSH_MS: '400', SHADOW_TIME_SHARE: '1', ROLLOUT_CHECK_S: '0.5', ROLLOUT_STEP_S: '1', ROLLOUT_STEP_ROWS: '300', CANARY_STEPS: '0.3,0.6',
    PROBATION_S: '2', ROLLBACK_ROWS_MIN: '150', ROLLBACK_KS_MAX: '0.25', ROLLBACK_PSI_MAX: '5', ROLLBACK_LATENCY_US_MAX: '1000000',
  },
});
const { settings, env, kafka } = cluster;
const registry = createRegistry(settings, testLog);
const ledger = createLedgerCodec(registry);
const decider = { kafka: createKafka(settings, testLog, 'transactional'), manifests: createManifestCodec(registry), ledger, log: testLog };
const clickhouse = createClickHouse(settings);
t.teardown(() => clickhouse.close());
await migrate(clickhouse, settings);
// Outcomes by which m5 is wrong wherever it differs, and so is m6: a label for each compared row as it lands.
await clickhouse.command({ query: `CREATE MATERIALIZED VIEW planted_labels TO labelled_predictions AS
  SELECT ${settings.LABEL_HORIZON_DAYS} AS horizon_days, prediction_id, customer_id, event_time, if(champion_version = 'm6', champion_score < challenger_score, champion_score > challenger_score) AS churned, 'outcome' AS source, now64(3) AS revision
  FROM shadow_predictions WHERE challenger_version = 'm5' OR champion_version = 'm6'` });

const child = (entry: string, more: Record<string, string> = {}): Child => {
  const made = new Child(entry, { LOG_LEVEL: 'info', ...env, ...more });
  t.teardown(() => made.kill());
  return made;
};
const ports = [await freePort(), await freePort()];
const scorers = ports.map((port, i) => child('scorer-process.js', { INSTANCE: String(i), SCORER_PORT: String(port) }));
const rollouts = [child('rollout-process.js', { INSTANCE: '0', ROLLOUT_METRICS_PORT: String(await freePort()) }), child('rollout-process.js', { INSTANCE: '1', ROLLOUT_METRICS_PORT: String(await freePort()) })];
const landing = child('landing-process.js');

const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => untilWithin(what, holds, 180_000);

/** Publishes a version with its entries, as the trainer does. @param seed models of near seeds score alike */
async function release(version: string, seed: number, ...actions: readonly Pick<LedgerEntry, 'action'>[]): Promise<void> {
  const { manifest, onnx } = logisticModel(view, version, seed, { stage: 'candidate', created_at: Date.now() });
  (cluster.models as Map<string, ReturnType<typeof logisticModel>>).set(version, logisticModel(view, version, seed));
  const entries = [{ action: 'registered' as const }, ...actions].map(({ action }) => ledgerEntry({ model: 'churn', version, action, at: Date.now(), by: 'trainer', champion: action === 'promoted' ? version : '' }, version));
  await decide(decider, 'churn', () => ({ version: { manifest, onnx }, entries }));
}
/** As it is followed: asking the broker anew for every look would cost more than the rollout itself. */
const followed: LedgerEntry[] = [];
const follower = followLedger({ kafka, codec: ledger, log: testLog, model: 'churn', from: 0, onEntries: (entries) => void followed.push(...entries) });
t.teardown(() => follower.stop());
const entriesNow = async (): Promise<LedgerEntry[]> => (await readLedger({ kafka, codec: ledger, log: testLog, model: 'churn' })).entries;
const said = (entries: readonly LedgerEntry[]): string[] => entries.filter(({ action }) => action !== 'registered').map(({ action, version, share, champion, by }) => `${by} ${action} ${version}${action === 'canary' ? ` ${share}` : ''}${action === 'rolled_back' ? ` to ${champion}` : ''}`);
const has = (line: string) => (): boolean => said(followed).includes(line);
const modelsServed = async (): Promise<(string | undefined)[]> => Promise.all(ports.map(async (port) => {
  const health = await fetch(`http://127.0.0.1:${port}/health`).then((res) => res.json() as Promise<{ dependencies: { model: { version?: string } } }>, () => undefined);
  return health?.dependencies.model.version;
}));

let flowing = true;
const flow = async (): Promise<void> => { for (; flowing; await sleep(50)) await cluster.publishFeatures(5 + random.below(10)); };
const silent = (): void => undefined;

t.test('a rollout from shadow to all, two rollbacks, and everything predicted once, through kills of rollout and scorers', async (t) => {
  await release('m1', 1, { action: 'promoted' });
  for (const one of [...scorers, landing, ...rollouts]) one.start();
  await until('both scorers serve m1', async () => (await modelsServed()).every((version) => version === 'm1'));
  const flowed = flow();

  await release('m2', 1.001, { action: 'shadow' });
  await until('the first canary', has('rollout canary m2 0.3'));
  await sleep(random() * 500);
  await rollouts[0]!.kill();
  t.comment('kill -9 of a rollout');
  await until('the second canary', has('rollout canary m2 0.6'));
  rollouts[0]!.start();
  await sleep(random() * 500);
  await Promise.all([scorers[0]!.kill(), rollouts[1]!.kill()]);
  t.comment('kill -9 of a scorer and of the other rollout');
  scorers[0]!.start();
  rollouts[1]!.start();
  await until('promoted', has('rollout promoted m2'));
  await until('both scorers serve m2', async () => (await modelsServed()).every((version) => version === 'm2'));
  await until('its probation is over', has('rollout retired m1'));

  await release('m3', 3);
  await promoteModel(settings, testLog, 'm3', { mode: 'full' }, 'looks good to me', silent);
  await until('on probation', has('rollout shadow m2'));
  await Promise.all(rollouts.map((one) => one.kill()));
  t.comment('kill -9 of both rollouts');
  for (const one of rollouts) one.start();
  await until('rolled back', has('rollout rolled_back m3 to m2'));
  await until('both scorers serve m2 again', async () => (await modelsServed()).every((version) => version === 'm2'));

  await release('m4', 4);
  await promoteModel(settings, testLog, 'm4', { mode: 'canary', share: 0.5 }, '', silent);
  await until('the canary is rolled back', has('rollout rolled_back m4 to m2'));

  await release('m5', 1.005);
  await promoteModel(settings, testLog, 'm5', { mode: 'canary', share: 0.5 }, '', silent);
  await until('a canary that outcomes speak against is rolled back', has('rollout rolled_back m5 to m2'));
  await release('m6', 0.995);
  await promoteModel(settings, testLog, 'm6', { mode: 'full' }, '', silent);
  await until('a champion that outcomes speak against is rolled back', has('rollout rolled_back m6 to m2'));
  await t.rejects(promoteModel(settings, testLog, 'm2', { mode: 'full' }, '', silent), { code: 'INPUT_INVALID', message: /the champion already/ });
  await t.rejects(rollBackModel(settings, testLog, 'm4', undefined, '', silent), { code: 'INPUT_INVALID', message: /does not serve: the champion is m2, the challenger none/ });
  await t.rejects(promoteModel(settings, testLog, 'm9', { mode: 'full' }, '', silent), { code: 'NOT_FOUND', message: /no version "m9"/ });
  let out = '';
  await rollBackModel(settings, testLog, undefined, undefined, 'for the test', (text) => { out += text; });
  t.equal(out, 'champion: m1\n');
  await until('both scorers serve m1', async () => (await modelsServed()).every((version) => version === 'm1'));
  flowing = false;
  await flowed;

  const entries = await entriesNow();
  const user = entries.find(({ by }) => by.startsWith('user:'))!.by;
  t.same(said(entries), [
    'trainer promoted m1', 'trainer shadow m2', 'rollout canary m2 0.3', 'rollout canary m2 0.6', 'rollout promoted m2', 'rollout shadow m1', 'rollout retired m1',
    `${user} promoted m3`, 'rollout shadow m2', 'rollout rolled_back m3 to m2', `${user} canary m4 0.5`, 'rollout rolled_back m4 to m2',
    `${user} canary m5 0.5`, 'rollout rolled_back m5 to m2', `${user} promoted m6`, 'rollout shadow m2', 'rollout rolled_back m6 to m2', `${user} rolled_back m2 to m1`,
  ], 'each step once');
  await until('all predictions', async () => (await cluster.predictions()).length >= cluster.published).catch((error: unknown) => t.comment(String(error)));
  await sleep(500); // what came twice would come now
});

t.test('each record is predicted once, by the version that its customer had then', async (t) => {
  const predictions = await cluster.predictions();
  t.same(cluster.complaints(predictions), []);
  t.same([...new Set(predictions.map(({ model_version }) => model_version))].sort(), ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']);
  const versionOf = new Map(predictions.map(({ prediction_id, model_version }) => [prediction_id, model_version]));
  const type = avroType(SHADOW_PREDICTION_AVRO);
  const pairs: ShadowPrediction[] = [];
  await readTopic(kafka, TOPICS.shadow.name, (_partition, records) => { for (const { value } of records) pairs.push(type.fromBuffer(value!.subarray(5)) as ShadowPrediction); });
  t.equal(new Set(pairs.map(({ prediction_id }) => prediction_id)).size, pairs.length, 'compared at most once');
  const wrong = pairs.filter(({ prediction_id, mode, share, customer_id, champion_version, challenger_version }) => {
    const id = Buffer.from(customer_id);
    return versionOf.get(prediction_id) !== (mode === 'canary' ? challenger_version : champion_version) || (mode === 'canary' && placeOf(saltOf(challenger_version), id, 0, id.length) >= share);
  });
  t.same(wrong.slice(0, 3), []);
  t.same([...new Set(pairs.filter(({ mode }) => mode === 'canary').map(({ challenger_version, share }) => `${challenger_version} ${share}`))].sort(), ['m2 0.3', 'm2 0.6', 'm4 0.5', 'm5 0.5']);
  const rows = async <Row>(query: string): Promise<Row[]> => (await clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>();
  const count = async (table: string): Promise<number> => Number((await rows<{ n: string }>(`SELECT count() AS n FROM ${table}`))[0]!.n);
  await until('all has landed', async () => (await count('shadow_predictions')) >= pairs.length && (await count('predictions')) >= predictions.length && (await count('model_ledger')) >= (await entriesNow()).length);
  t.equal(await count('shadow_predictions'), pairs.length);
  const [sums] = await rows<Record<string, number>>('SELECT sum(champion_score) AS champion, sum(challenger_score) AS challenger, countIf(challenger_degraded) AS bad FROM shadow_predictions');
  const total = (of: (pair: ShadowPrediction) => number): number => pairs.reduce((sum, pair) => sum + of(pair), 0);
  t.ok(Math.abs(Number(sums!['champion']) - total((pair) => pair.champion_score)) < 1e-6 && Math.abs(Number(sums!['challenger']) - total((pair) => pair.challenger_score)) < 1e-6);
  const entries = await entriesNow();
  t.equal(await count('model_ledger'), entries.length);
  t.match(await rows('SELECT champion, challenger FROM deployments'), [{ champion: deploymentOf(entries).champion, challenger: '' }]);
  t.match(await rows('SELECT version, stage FROM models_now ORDER BY version'), [{ stage: 'champion' }, { stage: 'rolled_back' }, { stage: 'rolled_back' }, { stage: 'rolled_back' }, { stage: 'rolled_back' }, { stage: 'rolled_back' }]);
  t.match((await rows<{ reason: string; evidence: string }>("SELECT reason, evidence FROM model_ledger WHERE action = 'rolled_back' AND version = 'm4'"))[0], { reason: /as a canary of 0.5: KS 0\.\d+ between the scores of both/, evidence: /"ks":0\.\d+/ });
  t.match(await rows("SELECT reason, evidence FROM model_ledger WHERE action = 'rolled_back' AND version IN ('m5', 'm6') ORDER BY version"), [
    { reason: /as a canary of 0.5: log loss higher by 0\.0\d+ on \d+ rows whose outcome is known/, evidence: /"loss":\{"rows":\d+,"difference":0\.\d+,"z":\d/ },
    { reason: /on probation: log loss higher by 0\.\d+ on \d+ rows whose outcome is known/, evidence: /"difference":-0\.\d+,"z":-\d/ },
  ]);
  t.same([...scorers, landing, ...rollouts].flatMap(({ died }) => died), [], 'nothing ended by itself');
});
