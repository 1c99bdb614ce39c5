import t from 'tap';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { freePort } from '../../runtime/ports.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { createRecordCodec } from '../../runtime/registry/record-codec.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import { frame } from '../../runtime/registry/wire-format.js';
import { deadLetterHeaders } from '../../schemas/events/dead-letter.js';
import { CUSTOMER_OUTCOME_AVRO } from '../../schemas/events/outcome.js';
import { RETRAIN_EVENT_AVRO, type RetrainEvent } from '../../schemas/events/retrain-event.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { featureNames, predictionsAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { openSimulation } from '../../stream-processors/sources/simulation.js';
import { testLog } from '../support/cluster.js';
import { startLandingCluster } from '../support/landing-cluster.js';
import { countEvents, differenceOf, expectedEvents, landedEvents, startLandingProcess, waitFor } from '../support/landing.js';
import { logisticModel } from '../support/onnx.js';

const PARTITIONS = 2;

/** How many partitions of customer-events a landing process holds. */
async function eventPartitions(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2000) })).text();
  return [...text.matchAll(/^tidemark_landing_lag_records\{[^}]*topic="customer-events"[^}]*\} /gm)].length;
}

t.setTimeout(400_000);
t.test('landing on a real broker, registry and ClickHouse', async (t) => {
  const cluster = await startLandingCluster(t, { partitions: PARTITIONS, batchRows: 1000 });
  const { settings, env, client, kafka, producer, rows, clickhouse } = cluster;
  const allLanded = async (): Promise<void> => {
    const expected = await expectedEvents(settings, PARTITIONS);
    await waitFor(`${expected.length} rows`, async () => (await countEvents(client)) >= expected.length, 90_000);
    t.same(differenceOf(await landedEvents(client), expected), undefined, `${expected.length} events, each once`);
  };

  const first = startLandingProcess(env, '0');
  t.teardown(() => first.kill());

  await t.test('predictions, outcomes, dead letters and model versions, value by value', async (t) => {
    const registry = createRegistry(settings, testLog);
    const schema = predictionsAvro(customerActivity);
    const narrow = { ...schema, fields: schema.fields.filter(({ name }) => !['events_7d', 'channel', 'runtime'].includes(name)) };
    const [old] = await registerSubjects(registry, [{ subject: subjectOf(TOPICS.predictions.name), schema: narrow }]);
    const [now] = await registerSubjects(registry, [{ subject: subjectOf(TOPICS.predictions.name), schema }]);
    const fields = {
      prediction_id: '1-42', customer_id: 'Zoë', event_id: 'e1', event_time: 1_700_000_000_123, scored_at: 1_700_000_000_456, score: 0.25, decision: 'keep',
      model_version: '20260101T000000Z-1a2b3c4d', view_version: 1, trigger: 'sweep', degraded: true, runtime: 'ort/1.30.0 linux-x64 tidemark/0.1.0', produced_at: 1_700_000_000_200, features_at: 1_700_000_000_300, channel: 'Café',
      ...Object.fromEntries(featureNames(customerActivity).map((name, i) => [name, i % 3 === 0 ? NaN : -i / 7])),
    };
    await producer.send({ topic: TOPICS.predictions.name, messages: [
      { partition: 1, key: 'Zoë', value: frame(now!.id, avroType(schema).toBuffer(fields)) },
      { partition: 1, key: 'Zoë', value: 'no prediction' },
      { partition: 1, key: 'Zoë', value: frame(old!.id, avroType(narrow).toBuffer({ ...fields, prediction_id: '1-43' })) },
    ] });
    const bytes = Buffer.from([0, 255, 10, 10, 13, 32, 0x7b]);
    await producer.send({ topic: TOPICS.deadLetters.name, messages: [
      { partition: 0, key: Buffer.from([255]), value: bytes, headers: deadLetterHeaders({ reason: 'bad_magic', error: 'why' }, { topic: TOPICS.events.name, partition: 1, offset: 77, timestamp: 1_700_000_000_000 }, 1_700_000_000_999, { trace: Buffer.from('t1') }) },
      { partition: 0, key: null, value: null },
    ] });
    const { manifest } = logisticModel(customerActivity, '20260101T000000Z-1a2b3c4d', 3);
    await producer.send({ topic: TOPICS.models.name, messages: [
      { key: `${manifest.model}/${manifest.version}#0`, value: Buffer.alloc(100) },
      { key: `${manifest.model}/${manifest.version}`, value: await createManifestCodec(registry).encode(manifest) },
    ] });
    const decision: RetrainEvent = {
      event_id: 'r1', decided_at: 1_700_000_000_001, reason: 'drift', decision: 'skip', model: 'churn', model_version: manifest.version, window_from: 1_699_000_000_000, window_to: 1_699_600_000_000,
      evidence: [
        { feature: 'score', segment: '', statistic: 'ks', value: 0.25, threshold: 0.125, p: 0.5, n: 77 },
        { feature: 'events_7d', segment: 'channel=web', statistic: 'wasserstein_normed', value: 2, threshold: 1, p: null, n: 78 },
      ],
      explanation: 'why not', expected_gain: null, dedupe_key: 'k', cooldown_until: 1_700_000_000_002, requested_by: 'drift',
    };
    const codec = createRecordCodec<RetrainEvent>(registry, subjectOf(TOPICS.retrain.name), RETRAIN_EVENT_AVRO);
    await producer.send({ topic: TOPICS.retrain.name, messages: [
      { key: 'churn', value: 'no decision' }, { key: 'churn', value: await codec.encode(decision) }, { key: 'churn', value: await codec.encode({ ...decision, event_id: 'r2', evidence: [], expected_gain: 0.5 }) },
    ] });
    const outcome = { customer_id: 'Zoë', outcome: 1, observed_at: 1_700_000_000_001 };
    const outcomes = createRecordCodec(registry, subjectOf(TOPICS.outcomes.name), CUSTOMER_OUTCOME_AVRO);
    await producer.send({ topic: TOPICS.outcomes.name, messages: [
      { partition: 1, key: 'Zoë', value: await outcomes.encode(outcome) },
      { partition: 1, key: 'Zoë', value: '{"customer_id":"Zoë","outcome":2,"observed_at":1}' },
      { partition: 1, key: 'Zoë', value: JSON.stringify({ ...outcome, outcome: false, observed_at: '2023-11-14T22:13:20.002Z' }) },
    ] });
    await waitFor('a model', async () => (await rows('SELECT 1 FROM model_versions')).length > 0, 90_000);
    await waitFor('predictions and dead letters', async () => (await rows('SELECT 1 FROM predictions')).length >= 2 && (await rows('SELECT 1 FROM dead_letters')).length >= 2, 90_000);

    const [one, two, ...others] = await rows<Record<string, unknown>>('SELECT * EXCEPT (landed_at, kafka_time) FROM predictions ORDER BY kafka_offset');
    t.equal(others.length, 0);
    const time = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
    const expected = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name,
      name.endsWith('_at') || name === 'event_time' ? time(value as number) : typeof value === 'number' && Number.isNaN(value) ? 'nan' : value]));
    t.same(one, { ...expected, kafka_partition: 1, kafka_offset: 0 });
    t.same(two, { ...expected, prediction_id: '1-43', events_7d: 'nan', channel: '', runtime: '', kafka_partition: 1, kafka_offset: 2 }, 'what its writer did not know is missing');

    await waitFor('outcomes', async () => (await rows('SELECT 1 FROM outcomes')).length >= 2, 90_000);
    t.same(await rows('SELECT customer_id, outcome, observed_at, kafka_partition, kafka_offset FROM outcomes ORDER BY kafka_offset'), [
      { customer_id: 'Zoë', outcome: 1, observed_at: time(1_700_000_000_001), kafka_partition: 1, kafka_offset: 0 },
      { customer_id: 'Zoë', outcome: 0, observed_at: time(1_700_000_000_002), kafka_partition: 1, kafka_offset: 2 },
    ], 'Avro and JSON; what is no outcome is passed over');
    const letters = await rows<Record<string, unknown>>('SELECT * EXCEPT (landed_at, kafka_time, record_value, record_key), hex(record_value) AS v, hex(record_key) AS k FROM dead_letters ORDER BY kafka_offset');
    t.match(letters[0], {
      reason: 'bad_magic', error: 'why', source_topic: TOPICS.events.name, source_partition: 1, source_offset: 77, source_time: time(1_700_000_000_000), failed_at: time(1_700_000_000_999),
      headers: { trace: 't1' }, v: bytes.toString('hex').toUpperCase(), k: 'FF',
    });
    t.match(letters[1], { reason: 'unknown', v: null, k: null });

    await waitFor('decisions about retrainings', async () => (await rows('SELECT event_id FROM retrain_events')).length >= 2, 90_000);
    const decisions = await rows<Record<string, unknown>>('SELECT * EXCEPT (landed_at, kafka_time) FROM retrain_events ORDER BY kafka_offset');
    const row = { ...decision, ...Object.fromEntries((['decided_at', 'window_from', 'window_to', 'cooldown_until'] as const).map((name) => [name, time(decision[name])])) };
    t.same(decisions, [
      { ...row, kafka_partition: 0, kafka_offset: 1 },
      { ...row, event_id: 'r2', evidence: [], expected_gain: 0.5, kafka_partition: 0, kafka_offset: 2 },
    ], 'what is no decision makes no row');

    const [model] = await rows<Record<string, unknown>>('SELECT * FROM model_versions');
    t.match(model, { model: manifest.model, version: manifest.version, stage: manifest.stage, features: manifest.features, data_rows: manifest.data_rows, metrics: manifest.metrics, parameters: manifest.parameters });
  });

  const simulation = await openSimulation({ parameters: { seed: 5, customers: 200 }, historyDays: 30, rate: 2000 }, settings, testLog);
  await simulation.history();
  void simulation.live();

  await t.test('ClickHouse away: nothing is lost, health says so, the rest is caught up', async () => {
    await waitFor('rows', async () => (await countEvents(client)) > 1000, 90_000);
    await clickhouse.stop();
    const health = async (): Promise<{ status: string }> => (await (await fetch(`http://127.0.0.1:${settings.LANDING_METRICS_PORT}/health`)).json()) as { status: string };
    await waitFor('degraded health', async () => (await health()).status === 'degraded', 90_000);
    const lag = async (): Promise<number> => {
      const text = await (await fetch(`http://127.0.0.1:${settings.LANDING_METRICS_PORT}/metrics`)).text();
      return [...text.matchAll(/^tidemark_landing_lag_records\{[^}]*\} (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
    };
    await waitFor('a growing lag', async () => (await lag()) > 3000, 90_000);
    await clickhouse.start();
    await waitFor('good health', async () => (await health()).status === 'up', 90_000);
    await waitFor('the lag to go', async () => (await lag()) < 2000, 90_000);
  });

  await t.test('a process that was thought dead wakes up with an insert under way, while others own its partitions', async (t) => {
    const port = await freePort();
    const second = startLandingProcess(env, '1', port);
    t.teardown(() => second.kill());
    const shares = async (): Promise<[number, number]> => [await eventPartitions(settings.LANDING_METRICS_PORT), await eventPartitions(port)];
    await waitFor('each with a share', async () => String(await shares()) === '1,1', 90_000);
    first.child.kill('SIGSTOP');
    await waitFor('its session to end', async () => (await eventPartitions(port)) === PARTITIONS, 90_000);
    const before = await countEvents(client);
    await waitFor('the other one to go on', async () => (await countEvents(client)) > before + 2000, 90_000);
    first.child.kill('SIGCONT');
    await waitFor('each with a share again', async () => String(await shares()) === '1,1', 90_000);
    await simulation.stop();
    await allLanded();
    t.equal(await second.stop(), 0);
  });

  await t.test('lost offsets of the group: what is there already is not inserted again', async (t) => {
    t.equal(await first.stop(), 0);
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteGroups(['tidemark-landing']);
    await admin.disconnect();
    const again = startLandingProcess(env, '2', await freePort());
    t.teardown(() => again.kill());
    await producer.send({ topic: TOPICS.events.name, messages: [{ key: 'K', value: JSON.stringify({ event_id: 'last', customer_id: 'K', event_type: 'login', event_time: 1.7e12 }) }] });
    await waitFor('the last event', async () => (await rows(`SELECT 1 FROM events WHERE event_id = 'last'`)).length > 0, 90_000);
    await allLanded();
    t.equal((await rows<{ c: number }>('SELECT count() AS c FROM predictions'))[0]!.c, 2);
    t.equal(await again.stop(), 0);
  });
});
