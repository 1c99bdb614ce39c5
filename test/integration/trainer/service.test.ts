import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { createManifestCodec } from '../../../runtime/models/codec.js';
import { createLedgerCodec, followLedger } from '../../../runtime/models/ledger.js';
import { readModels } from '../../../runtime/models/read.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import type { LedgerEntry } from '../../../schemas/events/ledger-entry.js';
import type { ModelManifest } from '../../../schemas/events/model.js';
import type { RetrainEvent } from '../../../schemas/events/retrain-event.js';
import { TOPICS } from '../../../schemas/topics.js';
import { deploymentOf } from '../../../schemas/ledger/deployment.js';
import { readCard } from '../../../trainer/core/gate/card.js';
import { Child } from '../../support/child.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import { shopHistory } from '../../support/history.js';
import { seeded } from '../../support/random.js';
import { retrainEvent, retrainEventWriter } from '../../support/retrain-events.js';
import { until } from '../../support/wait.js';

const SEED = 23;
t.comment(`seed ${SEED}`);
t.setTimeout(400_000);
const random = seeded(SEED);

const { settings, env, dataDir } = await startCluster(t, {
  kafka: true, registry: true, clickhouse: true, settings: { LABEL_HORIZON_DAYS: '14', ROLLOUT_MODE: 'full', GATE_BOOTSTRAP_ROUNDS: '200', TRAIN_FAMILIES: 'xgboost', TRAIN_SEARCH_TRIALS: '1' },
});
const client = createClickHouse(settings);
t.teardown(() => client.close());
await migrate(client, settings);
const kafka = createKafka(settings, testLog);
const registry = createRegistry(settings, testLog);
const codecs = { manifests: createManifestCodec(registry), ledger: createLedgerCodec(registry) };
await ensureTopics(kafka, settings, [TOPICS.models, TOPICS.ledger, TOPICS.retrain]);
const send = retrainEventWriter(settings, kafka);
const child = new Child('trainer-process.js', env);
t.teardown(() => child.kill());

const ledger: LedgerEntry[] = [];
const follower = followLedger({ kafka, codec: codecs.ledger, log: testLog, from: 0, onEntries: (entries) => void ledger.push(...entries) });
t.teardown(() => follower.stop());
async function versions(): Promise<ModelManifest[]> {
  const all: ModelManifest[] = [];
  await readModels({ kafka, codec: codecs.manifests, log: testLog, onModel: ({ manifest }) => void all.push(manifest) });
  return all;
}
const answersTo = ({ event_id }: RetrainEvent): LedgerEntry[] => ledger.filter((entry) => entry.retrain_event_id === event_id);
const answered = (event: RetrainEvent): Promise<void> => until(`an answer to ${event.dedupe_key}; ${child.lines.slice(-3).join('\n')}`, () => answersTo(event).length > 0);

t.test('without data an event is answered with the reason, and so is one whose decision is not to retrain: not at all', async (t) => {
  const shortage = retrainEvent('shortage');
  child.start();
  await send(retrainEvent('not now', { decision: 'skip' }), retrainEvent('another model', { model: 'other' }), shortage);
  await answered(shortage);
  const all = ledger;
  t.equal(all.length, 1);
  t.match(all[0], { action: 'refused', version: '', by: 'trainer', retrain_event_id: shortage.event_id, reason: /^TRAINING_DATA_INSUFFICIENT: .*no events have landed/ });
  t.strictSame(child.died, [], 'a refusal is no crash');
});

t.test('an event becomes one version: published with its card, registered and promoted in the ledger', async (t) => {
  await insertEvents(client, shopHistory({ seed: SEED, customers: 150, days: 100 }));
  const event = retrainEvent('first');
  await send(event);
  await answered(event);
  const [registered, promoted, ...more] = answersTo(event);
  t.strictSame(more, []);
  t.match(registered, { action: 'registered', reason: /has no champion/ });
  t.match(promoted, { action: 'promoted', version: registered!.version, champion: registered!.version });
  const [manifest, ...others] = await versions();
  t.strictSame(others, []);
  t.match(manifest, { version: registered!.version, stage: 'champion', retrain_event_id: event.event_id });
  const card = readCard(manifest!.card)!;
  t.match(card, { version: manifest!.version, decision: { entrance: 'promoted', asked_because: 'asked for first' }, champion: null });
  t.ok(card.comparison.metrics.log_loss.candidate.low < card.comparison.metrics.log_loss.candidate.high);
  t.ok(['tenure=30-90', 'channel=web', 'trigger=event', 'trigger=sweep'].every((name) => card.comparison.segments.some(({ segment }) => segment === name)), card.comparison.segments.map(({ segment }) => segment).join(' '));
  const folder = join(dataDir, 'models', manifest!.version);
  await until('the card’s files', () => existsSync(join(folder, 'card.md')));
  t.match(readFileSync(join(folder, 'card.md'), 'utf8'), new RegExp(`# churn ${manifest!.version}[\\s\\S]*Deployed: it is the champion[\\s\\S]*## Calibration`));
  t.match(readFileSync(join(folder, 'calibration.svg'), 'utf8'), /^<svg [\s\S]*<\/svg>\s*$/);
  const health = await (await fetch(`http://127.0.0.1:${settings.TRAINER_METRICS_PORT}/health`)).json() as { status: string };
  t.equal(health.status, 'up');
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${settings.TRAINER_METRICS_PORT}/metrics`)).text();
  await until('the answer is counted', async () => /tidemark_trainer_answers_total\{answer="promoted",service="trainer"\} 1/.test(await metrics()));
  t.match(await metrics(), /tidemark_trainer_stage_seconds_count\{(?=[^}]*stage="evaluate")(?=[^}]*status="done")[^}]*\} 1/);
});

t.test('the same data gives the same model, which is no better: kept, with the figures; duplicates of the event are answered once', async (t) => {
  const event = retrainEvent('again');
  await send(event, event, { ...event, event_id: 'the same under another id' });
  await answered(event);
  await until('the queue is empty', async () => /tidemark_trainer_pending_events\{service="trainer"\} 0/.test(await (await fetch(`http://127.0.0.1:${settings.TRAINER_METRICS_PORT}/metrics`)).text()));
  const answers = answersTo(event);
  t.equal(answers.length, 1);
  t.match(answers[0], { action: 'refused', reason: /not better beyond noise: log loss (0\.\d+) against the champion’s \1 .* better by 0\.0000, 90 % interval 0\.0000 to 0\.0000/ });
  const all = await versions();
  t.equal(all.length, 2);
  t.equal(all[1]!.stage, 'candidate');
  t.equal(deploymentOf(ledger).champion, all[0]!.version, 'the champion stays');
  t.notOk(ledger.some(({ retrain_event_id }) => retrain_event_id === 'the same under another id'));
});

t.test('killed at random moments, around the deciding transaction too: each event has one answer and one version', async (t) => {
  const events = ['killed-1', 'killed-2', 'killed-3'].map((key) => retrainEvent(key));
  await send(...events);
  const kills = { anywhere: 2, deciding: 3 };
  for (let kill = 0; kill < kills.anywhere + kills.deciding; kill++) {
    if (!child.running) child.start();
    child.lines.length = 0;
    if (kill < kills.anywhere) await sleep(400 + random() * 2000);
    else {
      await until('a decision is being written', () => child.lines.some((line) => line.includes('"event":"stage_started"') && line.includes('"stage":"deploy"')), 60_000).catch(() => undefined);
      await sleep(random() * 60);
    }
    const last = child.lines.at(-1) ?? '';
    await child.kill();
    t.comment(`kill -9 number ${kill + 1} after ${last.slice(0, 160)}`);
  }
  child.start();
  for (const event of events) await answered(event);
  await sleep(500);
  const published = await versions();
  for (const event of events) {
    t.equal(answersTo(event).length, 1, event.dedupe_key);
    t.equal(published.filter(({ retrain_event_id }) => retrain_event_id === event.event_id).length, 1, `${event.dedupe_key}: one version`);
  }
  t.strictSame(child.died, [], 'it never ended by itself');
  await child.stop();
});
