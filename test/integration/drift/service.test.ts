import t from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { readTopic } from '../../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import type { RetrainEvent } from '../../../schemas/events/retrain-event.js';
import { TOPICS } from '../../../schemas/topics.js';
import { rowsOf } from '../../../stream-processors/drift/aggregates.js';
import { retrainCodec } from '../../../stream-processors/drift/decisions.js';
import { requestRetraining } from '../../../stream-processors/drift/request.js';
import { Child } from '../../support/child.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { DAY_MS, HOUR_MS, landDay, landModel, type ShopDay } from '../../support/drift-shop.js';
import { freePort } from '../../support/ports.js';
import { seeded, seedOf } from '../../support/random.js';
import { until } from '../../support/wait.js';

/** The drift service on a real broker and a real ClickHouse: quiet days, a burst of missing amounts, a change of the population, kills. */
const START = Date.UTC(2026, 1, 2);
const VERSION = '20260201T000000Z-00000001';
const seed = seedOf(4_711);
t.comment(`seed ${seed}`);
t.setTimeout(240_000);

t.test('the drift service', async (t) => {
  const cluster = await startCluster(t, {
    kafka: true, registry: true, clickhouse: true,
    settings: {
      DRIFT_WINDOW_H: '24', DRIFT_STEP_H: '24', DRIFT_POLL_MS: '100', DRIFT_SEGMENTS: 'none', DRIFT_CALIBRATION_WINDOWS: '3', DRIFT_PERSISTENCE: '2', KAFKA_SESSION_TIMEOUT_MS: '6000',
      DRIFT_EFFECT_MIN: '0.05', DRIFT_HISTORY_WINDOWS: '20', LOG_LEVEL: 'info',
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
  const ports = [settings.DRIFT_METRICS_PORT, await freePort()];
  const processes = ports.map((port, i) => new Child('drift-process.js', { ...env, INSTANCE: String(i), DRIFT_METRICS_PORT: String(port) }));
  t.teardown(async () => {
    for (const child of processes) await child.kill();
    if (!t.passing()) for (const { lines } of processes) process.stderr.write(`${lines.slice(-40).join('\n')}\n`);
  });
  await landModel(client, random, VERSION);
  await land(8);
  for (const child of processes) child.start();

  await t.test('quiet days: looks, and nothing else', async (t) => {
    await lookedAt(7);
    t.same((await looks()).map((look) => look.day), [1, 2, 3, 4, 5, 6, 7], 'each window once; the last day is not over');
    t.ok((await looks()).every(({ mode, decision }) => ['calibrating', 'quiet'].includes(mode) && decision === 'none'), JSON.stringify(await looks()));
    t.same(await events(), []);
    const health = await Promise.all(ports.map(async (port) => (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { dependencies: { kafka: { detail: string } } }));
    t.equal(health.filter(({ dependencies }) => dependencies.kafka.detail.startsWith('this process decides')).length, 1, 'one of two decides');
    const [report] = await rowsOf<{ rows: number; twice: number; judged: number }>(client,
      `SELECT count() AS rows, count() - uniqExact(window_to, feature, segment, against, statistic) AS twice, countIf(verdict IN ('quiet', 'held')) AS judged FROM drift_reports FINAL`);
    t.ok(report!.rows > 300 && report!.twice === 0 && report!.judged > 100, JSON.stringify(report));
  });

  await t.test('a burst of missing amounts: an alert, a quarantine, a decision against retraining', async (t) => {
    await land(1, { nullAmounts: [9, 17] });
    await land(1);
    await lookedAt(9);
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
    await t.rejects(requestRetraining(settings, testLog, { why: ' ', by: 'user:anna' }), { code: 'INPUT_INVALID' });
  });
});
