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
import { insertPredictions, insertProfile, type TestPrediction } from '../../support/drift.js';
import { DAY_MS, HOUR_MS } from '../../support/drift-shop.js';
import { seeded, seedOf } from '../../support/random.js';
import { until } from '../../support/wait.js';

/**
 * The drift service and realised performance: a shop whose features and scores are distributed as ever, while the scores of a
 * fifth of the customers begin to say the opposite. Only labels tell; killed and started again, it asks once.
 */
const START = Date.UTC(2026, 2, 2);
const VERSION = '20260301T000000Z-00000002';
const [CUSTOMERS, WRONG_FROM, DAYS] = [100, 7, 12];
/** Mean of -log(1 - s) over s in (0, 0.5), and so of -log(s) over s in (0.5, 1). */
const PROMISED = 1 - Math.log(2);
const seed = seedOf(815);
t.comment(`seed ${seed}`);
t.setTimeout(400_000);

t.test('performance as a reason', async (t) => {
  const { settings, env } = await startCluster(t, {
    kafka: true, registry: true, clickhouse: true,
    settings: {
      DRIFT_WINDOW_H: '24', DRIFT_STEP_H: '24', DRIFT_POLL_MS: '100', DRIFT_SEGMENTS: 'none', DRIFT_CALIBRATION_WINDOWS: '3', DRIFT_PERSISTENCE: '2', DRIFT_MULTIVARIATE_ROWS: '0',
      KAFKA_SESSION_TIMEOUT_MS: '6000', LABEL_HORIZON_DAYS: '1', LABEL_LATENESS_H: '1',
    },
  });
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
  /** Even customers buy twice a day, odd ones never. */
  const landDay = async (day: number): Promise<void> => {
    const dayStart = START + day * DAY_MS;
    const predictions = Array.from({ length: 20 * CUSTOMERS }, (_, i): TestPrediction => {
      const customer = i % CUSTOMERS;
      const wrong = day >= WRONG_FROM && customer % 10 < 2;
      const leaves = (customer % 2 === 1) !== wrong;
      return {
        event_time: dayStart + Math.floor(random() * DAY_MS), model_version: VERSION, channel: random.pick(['web', 'app']), trigger: random.chance(0.5) ? 'event' : 'sweep', customer_id: `c${customer}`,
        score: (leaves ? 0.5 : 0) + 0.5 * random(), tenure_days: 20 + 400 * random(), events_7d: random.below(20), purchases_7d: random.below(6), spend_7d: 40 * random.exponential(), carts_7d: random.below(8),
      };
    });
    const buys = Array.from({ length: CUSTOMERS }, (_, customer) => [6, 18].map((hour, i) => ({ customer, event_type: customer % 2 === 0 ? 'purchase' : 'page_view', at: dayStart + hour * HOUR_MS + customer, i }))).flat();
    // somebody is there at every hour, so that the watermark follows
    const visits = Array.from({ length: 24 * 10 }, (_, i) => ({ customer: i % 10, event_type: 'page_view', at: dayStart + Math.floor(i / 10) * HOUR_MS + 1000 + i, i }));
    await client.insert({
      table: 'events', format: 'JSONEachRow', values: [...buys, ...visits].map(({ customer, event_type, at, i }) => ({
        event_id: `e${at}-${customer}-${i}`, customer_id: `c${customer}`, event_type, amount: event_type === 'purchase' ? 20 : null, quantity: null, channel: 'web', event_time: new Date(at).toISOString(),
        properties: {}, kafka_partition: 0, kafka_offset: at, kafka_time: new Date(at).toISOString(),
      })),
    });
    await insertPredictions(client, predictions);
  };
  await insertProfile(client, 'churn', VERSION, [], { log_loss: 0.9, log_loss_on_event: PROMISED, log_loss_in_silence: PROMISED, holdout_rows_on_event: 2500, holdout_rows_in_silence: 2500, holdout_rows: 5000 });
  for (let day = 0; day < DAYS; day++) await landDay(day);

  const child = new Child('drift-process.js', env);
  t.teardown(async () => {
    await child.kill();
    if (!t.passing()) process.stderr.write(`${child.lines.slice(-40).join('\n')}\n`);
  });
  child.start();
  const looks = (): Promise<{ day: number; mode: string; decision: string; value: number; promised: number }[]> => rowsOf(client,
    `SELECT (toUnixTimestamp64Milli(window_to) - {start:Int64}) / ${DAY_MS} AS day, mode, decision, value, promised FROM performance_looks FINAL ORDER BY window_to`, { start: START });
  for (let kill = 0; kill < 3; kill++) {
    const before = (await looks()).length;
    await until('the service goes on', async () => (await looks()).length > before || before === DAYS - 2, 120_000);
    await sleep(random.below(300));
    await child.kill();
    child.start();
  }
  await until('all windows that have labels are looked at', async () => {
    await sleep(200);
    return (await looks()).at(-1)?.day === DAYS - 2;
  }, 120_000);

  const all = await looks();
  t.same(all.map(({ day }) => day), Array.from({ length: DAYS - 2 }, (_, i) => i + 1), 'each window once');
  t.ok(all.slice(0, WRONG_FROM).every(({ mode, value, promised }) => mode !== 'alarmed' && mode !== 'suspect' && Math.abs(value - PROMISED) < 0.04 && Math.abs(promised - PROMISED) < 1e-9), JSON.stringify(all));
  t.same(all.slice(WRONG_FROM).map(({ mode, decision }) => [mode, decision]), [['suspect', 'none'], ['alarmed', 'retrain'], ['alarmed', 'none']]);
  const [event, ...more] = (await events()).filter(({ reason }) => reason === 'performance');
  t.same(more, [], 'once');
  const labelledAt = START + (WRONG_FROM + 2 + 1) * DAY_MS + HOUR_MS;
  t.match(event, {
    reason: 'performance', decision: 'retrain', model: 'churn', model_version: VERSION, window_from: START + (WRONG_FROM + 1) * DAY_MS, window_to: START + (WRONG_FROM + 2) * DAY_MS,
    explanation: /^labels say worse since 2026-03-09, in 2 windows in a row: log loss .*its holdout promised 0\.31.*at most one false alarm in 90 days/, cooldown_until: labelledAt + settings.DRIFT_COOLDOWN_H * HOUR_MS,
  });
  t.same(event!.evidence.filter(({ p }) => p !== null).map(({ statistic }) => statistic).sort(), ['log_loss against previous', 'log_loss against reference']);
  t.ok(event!.evidence.every(({ feature, value, threshold, p }) => feature === 'performance' && (p === null || (p < 0.0014 && value > threshold))), JSON.stringify(event!.evidence));
  t.ok(Math.abs(event!.expected_gain! - 0.2 * 2 * Math.log(2)) < 0.06, `expected gain ${event!.expected_gain}: a fifth of the customers, of whom each costs 2 log 2 more`);
  t.same((await events()).filter(({ reason }) => reason === 'drift'), [], 'nothing else moved');
  const reports = await rowsOf<{ against: string; verdict: string }>(client,
    "SELECT against, verdict FROM drift_reports FINAL WHERE feature = 'performance' AND statistic = 'log_loss' AND window_to = toDateTime({at:UInt32}, 'UTC') ORDER BY against", { at: (START + (WRONG_FROM + 2) * DAY_MS) / 1000 });
  t.same(reports, [{ against: 'previous', verdict: 'beyond' }, { against: 'reference', verdict: 'beyond' }]);
  const asked = await requestRetraining(settings, testLog, { why: 'see what it says', by: 'user:anna' });
  t.equal(asked.expected_gain, 0, 'the holdout’s plain figure, 0.9, is not reached: nothing is lost by it');
  t.same(child.died, []);
});
