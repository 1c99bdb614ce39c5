import t from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { readTopic } from '../../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import type { RetrainEvent } from '../../../schemas/events/retrain-event.js';
import { LANDING_GROUP } from '../../../schemas/groups.js';
import { TOPICS } from '../../../schemas/topics.js';
import { rowsOf } from '../../../stream-processors/drift/aggregates.js';
import { createDecisions, retrainCodec } from '../../../stream-processors/drift/decisions.js';
import { requestRetraining } from '../../../stream-processors/drift/request.js';
import { scheduledReason } from '../../../stream-processors/drift/scheduled.js';
import { Child } from '../../support/child.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { DAY_MS, HOUR_MS, landDay, landModel, type ShopDay } from '../../support/drift-shop.js';
import { freePort } from '../../support/ports.js';
import { seeded, seedOf } from '../../support/random.js';
import { until } from '../../support/wait.js';

/** The drift service on a real broker and a real ClickHouse: quiet days, a burst of missing amounts, a change of the population, kills. */
const START = Date.UTC(2026, 1, 2);
const VERSION = '20260201T000000Z-00000001';
/** Log loss of the holdout; what a day costs more is what a retraining may win. */
const PROMISED = 0.125;
const seed = seedOf(4_711);
t.comment(`seed ${seed}`);
t.setTimeout(400_000);

t.test('the drift service', async (t) => {
  const cluster = await startCluster(t, {
    kafka: true, registry: true, clickhouse: true,
    settings: {
      DRIFT_WINDOW_H: '24', DRIFT_STEP_H: '24', DRIFT_POLL_MS: '100', DRIFT_SEGMENTS: 'none', DRIFT_CALIBRATION_WINDOWS: '3', DRIFT_PERSISTENCE: '2', KAFKA_SESSION_TIMEOUT_MS: '6000',
      DRIFT_EFFECT_MIN: '0.05', DRIFT_HISTORY_WINDOWS: '20', LOG_LEVEL: 'info', LABEL_HORIZON_DAYS: '2', LABEL_LATENESS_H: '1', DRIFT_MULTIVARIATE_ROWS: '400',
    },
  });
  const { settings, env } = cluster;
  const client = createClickHouse(settings);
  t.teardown(() => client.close());
  await migrate(client, settings);
  const kafka = createKafka(settings, testLog);
  await ensureTopics(kafka, settings, [TOPICS.retrain]);
  const codec = retrainCodec(createRegistry(settings, testLog));
  const events = async (): Promise<RetrainEvent[]> => {
    const found: RetrainEvent[] = [];
    await readTopic(kafka, TOPICS.retrain.name, async (_partition, records) => { for (const { value } of records) found.push(await codec.decode(value!)); });
    return found;
  };
  const random = seeded(seed);
  const day = (n: number): number => START + n * DAY_MS;
  let days = 0;
  const land = async (count: number, what: ShopDay = {}): Promise<void> => { for (let i = 0; i < count; i++) await landDay(client, random, day(days++), VERSION, what); };
  const looks = (): Promise<{ day: number; mode: string; decision: string }[]> => rowsOf(client,
    `SELECT (toUnixTimestamp64Milli(window_to) - {start:Int64}) / ${DAY_MS} AS day, mode, decision FROM drift_looks FINAL WHERE model = 'churn' ORDER BY window_to`, { start: START });
  /** The last day waits for hours after it. */
  const lookedAt = (to: number): Promise<void> => until(`the look at day ${to}`, async () => {
    await sleep(300);
    return (await looks()).at(-1)?.day === to;
  }, 120_000);
  /** Of the days that performance is reported of: the latest when it was asked is one of them. */
  const gains = async (): Promise<number[]> => (await rowsOf<{ gain: number }>(client,
    `SELECT value - {promised:Float64} AS gain FROM performance_reports FINAL WHERE metric = 'log_loss' AND segment = '' AND model_version = {version:String}`, { promised: PROMISED, version: VERSION })).map(({ gain }) => gain);
  const isGain = async (gain: number | null): Promise<boolean> => gain !== null && gain > 0 && (await gains()).some((one) => Math.abs(one - gain) < 1e-9);
  const ports = [settings.DRIFT_METRICS_PORT, await freePort()];
  const processes = ports.map((port, i) => new Child('drift-process.js', { ...env, INSTANCE: String(i), DRIFT_METRICS_PORT: String(port) }));
  const health = (dependency: 'kafka' | 'clickhouse' | 'performance'): Promise<string[]> => Promise.all(ports.map(async (port) =>
    ((await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { dependencies: Record<string, { detail: string }> }).dependencies[dependency]!.detail));
  t.teardown(async () => {
    for (const child of processes) await child.kill();
    if (!t.passing()) for (const { lines } of processes) process.stderr.write(`${lines.slice(-40).join('\n')}\n`);
  });
  await landModel(client, random, VERSION, { log_loss: PROMISED });
  await land(8);
  for (const child of processes) child.start();

  await t.test('quiet days: looks, and nothing else', async (t) => {
    await lookedAt(7);
    t.same((await looks()).map((look) => look.day), [1, 2, 3, 4, 5, 6, 7], 'each window once; the last day is not over');
    t.ok((await looks()).every(({ mode, decision }) => ['calibrating', 'quiet'].includes(mode) && decision === 'none'), JSON.stringify(await looks()));
    t.same(await events(), []);
    t.equal((await health('kafka')).filter((detail) => detail.startsWith('this process decides')).length, 1, 'one of two decides');
    const [report] = await rowsOf<{ rows: number; twice: number; judged: number }>(client,
      `SELECT count() AS rows, count() - uniqExact(window_to, feature, segment, against, statistic) AS twice, countIf(verdict IN ('quiet', 'held')) AS judged FROM drift_reports FINAL`);
    const together = await rowsOf<{ day: number; value: number; n: number; against: string; verdict: string }>(client,
      `SELECT (toUnixTimestamp(window_to) - {start:Int64} / 1000) / 86400 AS day, value, n, against, verdict FROM drift_reports FINAL WHERE feature = 'multivariate' AND statistic = 'domain_auc' ORDER BY day`, { start: START });
    // one that takes too long on a busy machine is left out of its look
    t.ok(together.length >= 4 && together.every(({ day, against }) => day >= 2 && day <= 7 && against === 'previous'), `all features together, against the day before: ${JSON.stringify(together)}`);
    t.ok(together.every(({ value, n, verdict }) => value > 0.35 && value < 0.65 && n > 300 && n <= 400 && verdict !== 'reported'), JSON.stringify(together));
    t.ok(report!.rows > 300 && report!.twice === 0 && report!.judged > 100, JSON.stringify(report));
  });

  await t.test('labels and performance beside the looks, by the one that decides', async (t) => {
    const reports = (kind: string): Promise<{ day: number; n: number; loss: number }[]> => rowsOf(client,
      `SELECT (toUnixTimestamp64Milli(window_from) - {start:Int64}) / ${DAY_MS} AS day, n, value AS loss FROM performance_reports FINAL
       WHERE kind = {kind:String} AND metric = 'log_loss' AND segment = '' AND model_version = {version:String} ORDER BY day`, { start: START, kind, version: VERSION });
    await until('performance is reported', async () => {
      await sleep(300);
      return (await reports('realised')).length >= 4 && (await reports('estimated')).length >= 2;
    }, 60_000);
    // The latest hour that eight customers have events at or after is the last but one or the last of day 7.
    t.same((await reports('realised')).map((one) => one.day), [0, 1, 2, 3, 4]);
    t.same((await reports('estimated')).map((one) => one.day), [5, 6]);
    const [asked] = await rowsOf<{ n: number; loss: number }>(client, `SELECT n, log_loss AS loss FROM performance(from = '2026-02-04 00:00:00', to = '2026-02-05 00:00:00', window_h = 24, horizon_days = 2) WHERE segment = ''`);
    const reported = (await reports('realised'))[2]!;
    t.ok(reported.n === asked!.n && Math.abs(reported.loss - asked!.loss) < 1e-12, `as the view says: ${JSON.stringify([reported, asked])}`);
    const said = await health('performance');
    t.ok(said.some((detail) => detail.startsWith('labels up to 2026-02-07T22:00')), said.join('; '));
    const metrics = (await Promise.all(ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()))).join('\n');
    t.match(metrics, /tidemark_drift_performance_windows_total\{kind="realised",service="drift"\} [1-5]/);
    t.match(metrics, /tidemark_drift_labels_behind_seconds\{service="drift"\} 176400/);
  });

  await t.test('a window whose predictions have landed is not looked at before its events have', async (t) => {
    const [producer, admin] = [kafka.producer(), kafka.admin()];
    await Promise.all([producer.connect(), admin.connect()]);
    const on = { topic: TOPICS.events.name, partition: 1 };
    await producer.send({ topic: on.topic, messages: ['a', 'b', 'c'].map((value) => ({ value, partition: on.partition })) });
    await land(1, { nullAmounts: [9, 17] });
    await land(1);
    const waits = async (n: number): Promise<boolean> => (await health('clickhouse')).some((detail) => detail.endsWith(`, the next look waits for ${n} events to land`));
    const landed = (offset: number): Promise<void> => admin.setOffsets({ groupId: LANDING_GROUP, topic: on.topic, partitions: [{ partition: on.partition, offset: String(offset) }] });
    await until('it waits for three', () => waits(3), 30_000);
    await landed(2);
    await until('it waits for one', () => waits(1), 30_000);
    t.equal((await looks()).at(-1)?.day, 7);
    await landed(3);
    await lookedAt(9);
    t.notOk(await waits(1));
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  });

  await t.test('a burst of missing amounts: an alert, a quarantine, a decision against retraining', async (t) => {
    const [event, ...more] = await events();
    t.same(more, []);
    t.match(event, { reason: 'drift', decision: 'skip', model: 'churn', model_version: VERSION, requested_by: 'drift', explanation: /null_burst in all channels since 2026-02-10T09:00.*kept out of training/, window_from: day(8), window_to: day(9) });
    const [quarantine, ...others] = await rowsOf<Record<string, unknown>>(client, 'SELECT *, toUnixTimestamp64Milli(window_from) AS from, toUnixTimestamp64Milli(window_to) AS to FROM quarantined_windows FINAL');
    t.same(others, []);
    t.match(quarantine, { model: 'churn', cause: 'null_burst', channel: '', from: day(8) + 9 * HOUR_MS, to: day(8) + 17 * HOUR_MS });
    const alerts = await rowsOf<Record<string, unknown>>(client, 'SELECT cause, channel, alert_id, explanation FROM drift_alerts FINAL');
    t.match(alerts, [{ cause: 'null_burst', channel: '', alert_id: quarantine!['quarantine_id'], explanation: /no amount, usually/ }]);
  });

  await t.test('a change of the population under kill -9: one retraining, each window looked at once', async (t) => {
    let kills = 0;
    let landing = true;
    const killing = (async () => {
      while (landing || kills < 4) {
        await sleep(150 + random.below(1200));
        const victim = processes[kills % 2]!;
        await victim.kill();
        victim.start();
        kills++;
      }
    })();
    await land(1);
    await land(4, { activity: 1.8 });
    landing = false;
    await killing;
    await lookedAt(days - 1);
    const all = await events();
    t.comment(`${kills} kills`);
    t.same(all.map(({ decision }) => decision), ['skip', 'retrain'], all.map(({ explanation }) => explanation).join('\n'));
    t.equal(new Set(all.map(({ event_id }) => event_id)).size, all.length);
    const event = all[1]!;
    t.equal(event.window_to, day(13), 'the second window of the change');
    t.ok(event.evidence.length >= 3 && event.evidence.every(({ p, value, threshold }) => p !== null && p < 1e-3 && value >= threshold), JSON.stringify(event.evidence));
    t.match(event.explanation, /^changed since 2026-02-13, in 2 windows in a row: .*at most one false alarm in 90 days/);
    t.ok(await isGain(event.expected_gain), `expected gain ${event.expected_gain} of ${JSON.stringify(await gains())}`);
    t.equal(event.cooldown_until, day(13) + settings.DRIFT_COOLDOWN_H * HOUR_MS);
    t.same((await looks()).map((look) => look.day), Array.from({ length: days - 1 }, (_, i) => i + 1));
    t.same((await looks()).slice(12).map(({ mode }) => mode), Array.from({ length: days - 13 }, () => 'alarmed'));
    t.same(processes.flatMap(({ died }) => died), [], 'none ended by itself');
  });

  await t.test('a person asks: one event, which holds drift off, too', async (t) => {
    const asked = await requestRetraining(settings, testLog, { why: 'new prices', by: 'user:anna', key: 'q1' });
    await requestRetraining(settings, testLog, { why: 'new prices', by: 'user:anna', key: 'q1' });
    const manual = (await events()).filter(({ reason }) => reason === 'manual');
    t.same(new Set(manual.map(({ event_id }) => event_id)), new Set([asked.event_id]), 'the same key is the same retraining');
    t.match(manual[0], { decision: 'retrain', explanation: 'new prices', requested_by: 'user:anna', model_version: VERSION, window_to: day(days - 1) + 23 * HOUR_MS });
    const scheduled = await scheduledReason({ settings: { ...settings, RETRAIN_SCHEDULE: '0 6 * * *' }, client, decisions: createDecisions('churn', codec, testLog) })!.ask(0);
    t.match(scheduled?.drafts, [{ reason: 'schedule', decision: 'retrain', model_version: VERSION, dedupe_key: `schedule/churn/${new Date(day(days - 1) + 6 * HOUR_MS).toISOString()}`, window_to: day(days - 1) + 23 * HOUR_MS }]);
    t.ok(await isGain(scheduled!.drafts[0]!.expected_gain) && await isGain(manual[0]!.expected_gain), `expected gains ${scheduled!.drafts[0]!.expected_gain}, ${manual[0]!.expected_gain}`);
    await t.rejects(requestRetraining(settings, testLog, { why: ' ', by: 'user:anna' }), { code: 'INPUT_INVALID' });
  });
});
