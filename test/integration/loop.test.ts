import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { messageOf } from '../../runtime/errors.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { tidemark } from '../support/command.js';
import { compareLoss, LOOP_ENV, openLoop } from '../support/loop.js';
import { readAccounts, unbalanced } from '../support/loop-accounts.js';
import { startKills } from '../support/loop-kills.js';
import { startPacedSource } from '../support/loop-source.js';
import { logisticOnnx } from '../support/onnx.js';
import { seeded, seedOf } from '../support/random.js';
import { startUp, type UpProcess } from '../support/up-process.js';
import { runs, until } from '../support/wait.js';

/** The whole loop from the shipped commands: a shop of simulated customers, two days a second at most. */
const SEED = seedOf(3);
const [FAULT_DAY, FAULT_DAYS, SHIFT_DAY] = [63, 2, 98];
const HOUR_MS = 3_600_000;
/** Between two questions to ClickHouse, which has enough to do. */
const LOOK_MS = 1000;
t.setTimeout(800_000);
t.comment(`TEST_SEED=${SEED}`);
const random = seeded(SEED);
const began = Date.now();
const say = (line: string): void => t.comment(`${((Date.now() - began) / 1000).toFixed(1)} s  ${line}`);

const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-loop-'));
t.teardown(() => rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
const shop = ['--customers', '400', '--history-days', '120', '--seed', '1', '--shift', String(SHIFT_DAY), '--fault', `nulls@${FAULT_DAY}+${FAULT_DAYS}`];
const begin = async (...args: readonly string[]): Promise<UpProcess> => {
  const started = startUp(dataDir, args, LOOP_ENV);
  t.teardown(() => { if (started.process.exitCode === null) started.process.kill('SIGKILL'); });
  await started.printed('Tidemark is up.', 240_000);
  return started;
};
// The first start publishes the history and trains the first version. From then on the source is a process of its own, so that it can be held.
const first = await begin(...shop, '--acceleration', '1');
first.process.kill('SIGTERM');
if (await first.ended !== 0) throw new Error(first.output());
const up = await begin('--no-source');
say('up');
const loop = openLoop(up, dataDir);
t.teardown(() => loop.close());
const { shiftMs, fault, day } = loop;
let former = '';
await until('the first version serves', async () => (former = (await loop.champion()) ?? '') !== '');
const source = startPacedSource(dataDir, LOOP_ENV, [...shop, '--acceleration', String(2 * 86_400)], loop.aheadDays, loop.unansweredDays);
t.teardown(() => source.kill());
const kills = startKills(up, random, ['trainer', 'drift', 'scorer'], say);
t.teardown(() => kills.stop());
const command = (...args: readonly string[]) => tidemark(dataDir, LOOP_ENV, ...args);

let broken = false;
/** Waits for something in the loop, and says what has happened where it does not. */
async function comes<Found>(what: string, find: () => Promise<Found | undefined>, deadlineMs = 360_000): Promise<Found> {
  let found: Found | undefined;
  if (broken) throw new Error(`${what}: an earlier step has not come`);
  await until(what, async () => {
    if (up.process.exitCode !== null) throw new Error(`tidemark up has ended: ${up.output().slice(-2000)}`);
    return (found = await find()) !== undefined;
  }, deadlineMs, LOOK_MS).catch(async (error: unknown) => {
    broken = true;
    throw new Error(`${messageOf(error)}; so far: ${JSON.stringify(await loop.story())}`);
  });
  say(what);
  return found!;
}

t.test('a shop that does not change is left alone', async (t) => {
  await comes('all windows before the bug are looked at', async () => ((await loop.lookedTo()) >= fault.from_ms ? true : undefined));
  t.same((await loop.retrainEvents()).filter(({ window_to }) => window_to <= fault.from_ms), []);
  t.same(await loop.rows('SELECT alert_id FROM drift_alerts WHERE window_to <= fromUnixTimestamp64Milli({at:Int64})', { at: fault.from_ms }), []);
  const judged = await loop.rows<{ window_to: number }>(`SELECT window_to FROM drift_looks FINAL WHERE mode != 'calibrating' AND window_to <= fromUnixTimestamp64Milli({at:Int64})`, { at: fault.from_ms });
  t.ok(judged.length >= 3, `${judged.length} windows judged`);
});

t.test('a data bug: an alert, a quarantine, no retraining', async (t) => {
  await comes('all windows between bug and change are looked at', async () => ((await loop.lookedTo()) >= shiftMs ? true : undefined));
  const alerts = await loop.rows<{ cause: string; explanation: string }>('SELECT cause, explanation FROM drift_alerts FINAL ORDER BY raised_at');
  for (const { explanation } of alerts) say(explanation);
  t.same([...new Set(alerts.map(({ cause }) => cause))], ['null_burst']);
  const [quarantine] = await loop.rows<{ from: number; to: number }>('SELECT toUnixTimestamp64Milli(min(window_from)) AS from, toUnixTimestamp64Milli(max(window_to)) AS to FROM quarantined_windows FINAL');
  t.ok(Math.abs(quarantine!.from - fault.from_ms) <= 12 * HOUR_MS && Math.abs(quarantine!.to - fault.to_ms) <= 12 * HOUR_MS, `quarantined: day ${day(quarantine!.from)} to ${day(quarantine!.to)}`);
  const events = (await loop.retrainEvents()).filter(({ window_to }) => window_to <= shiftMs);
  t.ok(events.some(({ decision, dedupe_key }) => decision === 'skip' && dedupe_key.startsWith('bug/')), 'the decision against retraining is a record');
  t.same(events.filter(({ decision }) => decision === 'retrain'), []);
});

t.test('a change is noticed, answered with a better model, which takes over step by step', async (t) => {
  const asked = await comes('a retraining is asked for', async () => (await loop.retrainEvents()).find(({ decision }) => decision === 'retrain'));
  say(`${asked.reason} on day ${day(asked.window_to)}: ${asked.explanation}`);
  t.ok(asked.window_to > shiftMs && asked.window_to <= shiftMs + 45 * 24 * HOUR_MS, `noticed within 45 days, on day ${day(asked.window_to)}`);
  await comes('a training runs', async () => (await loop.rows(`SELECT run_id FROM training_runs FINAL WHERE status = 'running' AND retrain_event_id != ''`))[0]);
  kills.now('trainer');

  await comes('a version is on trial', async () => (await loop.ledger()).find(({ action }) => action === 'canary'));
  kills.now('scorer');
  const promoted = await comes('another version is promoted by the rollout', async () => (await loop.ledger()).find(({ action, decided_by }) => action === 'promoted' && decided_by === 'rollout'));
  const successor = promoted.version;
  const story = (await loop.ledger()).filter(({ version }) => version === successor);
  t.same(story.map(({ action }) => action).slice(0, 3), ['registered', 'canary', 'promoted']);
  say(story[0]!.reason);
  const event = (await loop.retrainEvents()).find(({ event_id }) => event_id === story[0]!.retrain_event_id);
  t.match(event, { decision: 'retrain' }, 'it answers a retrain event');

  kills.now('scorer');
  kills.now('drift');
  // It ends by itself, or where the next version, of a change that goes on, goes on trial.
  await comes('its probation ends', async () => (await loop.ledger()).find(({ action, version, kafka_offset }) =>
    kafka_offset > promoted.kafka_offset && ((action === 'retired' && version === former) || (['canary', 'promoted'].includes(action) && version !== former))));
  t.same((await loop.ledger()).filter(({ action }) => action === 'rolled_back'), []);
  const pairs = await comes('its probation has matured', async () => {
    const found = await loop.maturedPairs(successor, former);
    const [{ n } = { n: 0 }] = await loop.rows<{ n: number }>('SELECT count() AS n FROM shadow_predictions WHERE champion_version = {successor:String} AND challenger_version = {former:String}', { successor, former });
    return found.length > 0.99 * n ? found : undefined;
  });
  const { champion, challenger, rows, customers, z } = compareLoss(pairs);
  say(`log loss of the new version ${champion.toFixed(4)}, of the former ${challenger.toFixed(4)} on the same ${rows} rows of ${customers} customers, ${z.toFixed(1)} standard errors`);
  t.ok(rows > 500, `${rows} rows`);
  t.ok(champion < challenger && z > 2.33, 'better than the former one on rows later than all it was chosen by');
});

t.test('a bad candidate is refused', async (t) => {
  const { code, stdout, stderr } = await command('train', '-p', 'max_depth=1', '-p', 'rounds_max=1', '-p', 'learning_rate=0.01');
  t.equal(code, 0, code === 0 ? 'a refusal is no failure' : stderr);
  const refused = stdout.split('\n').find((line) => line.startsWith('refused: ')) ?? '';
  say(refused.slice(0, 200));
  t.match(refused, /not better beyond noise/);
  const entry = await comes('the refusal stands in the ledger', async () => (await loop.ledger()).find(({ action, decided_by }) => action === 'refused' && decided_by.startsWith('user:')));
  t.not(entry.version, '');
  t.not(entry.version, await loop.champion());
});

t.test('a bad deployment is rolled back by itself', async (t) => {
  const names = featureNames(view);
  const file = join(dataDir, 'bad.onnx');
  await writeFile(file, logisticOnnx({ weights: names.map(() => 0), bias: 4 }));
  const before = await loop.champion();
  const { code, stdout, stderr } = await command('models', 'import', file, '--unchecked', '--inputs', names.join(','), '--full', '--why', 'past the gate');
  t.equal(code, 0, code === 0 ? 'imported' : stderr);
  const bad = /^version (\S+)/.exec(stdout)?.[1] ?? '';
  t.same(await loop.rows("SELECT action, target, outcome FROM audit_log FINAL WHERE service = 'cli'"), [{ action: 'models.import', target: file, outcome: 'done' }]);
  const back = await comes('it is rolled back', async () => (await loop.ledger()).find(({ action, version }) => action === 'rolled_back' && version === bad));
  say(back.reason);
  t.match(back, { decided_by: 'rollout', champion: before });
  const { stdout: list } = await command('models', 'list');
  t.match(list, new RegExp(`^${bad}\\s+rolled_back`, 'm'), list);
});

t.test('through all kills: one answer to each event, no ledger row lost, every feature record scored once', async (t) => {
  await kills.stop();
  await source.stop();
  say(`killed: ${kills.made.map(({ name }) => name).join(', ')}`);
  for (const name of ['trainer', 'drift', 'scorer']) t.ok(kills.made.some((kill) => kill.name === name), `${name} was killed`);
  await comes('every event is answered', async () => {
    const ledger = await loop.ledger();
    return (await loop.retrainEvents()).every(({ decision, event_id }) => decision !== 'retrain' || ledger.some(({ retrain_event_id }) => retrain_event_id === event_id)) ? true : undefined;
  });
  const { accounts, table } = await comes('what stands on the topics is scored and landed', async () => {
    const read = await readAccounts(loop.settings, loop.liveMs);
    if (unbalanced(read).length > 0) return undefined;
    const found = await loop.rows<{ id: string; n: number }>('SELECT prediction_id AS id, count() AS n FROM predictions GROUP BY id');
    const landed = new Map(found.map(({ id, n }) => [id, n]));
    return [...read.predictions.keys()].every((id) => landed.has(id)) ? { accounts: read, table: landed } : undefined;
  });
  t.same(unbalanced(accounts), []);
  t.same([...table].filter(([, n]) => n !== 1), [], `${accounts.predictions.size} predictions, each one row`);
  const asked = accounts.retrain.filter(({ decision }) => decision === 'retrain');
  t.equal(new Set(accounts.retrain.map(({ dedupe_key }) => dedupe_key)).size, accounts.retrain.length, 'no decision was written twice');
  for (const { event_id } of asked) t.equal(accounts.ledger.filter(({ entry_id }) => entry_id === `answer-${event_id}`).length, 1, `one answer to ${event_id}`);
  t.same((await loop.ledger()).map(({ entry_id }) => entry_id), accounts.ledger.map(({ entry_id }) => entry_id), `${accounts.ledger.length} entries`);
  t.equal(new Set(accounts.ledger.map(({ entry_id }) => entry_id)).size, accounts.ledger.length);

  const parts = [...up.children().values()];
  up.process.kill('SIGTERM');
  t.equal(await up.ended, 0, up.output().slice(-2000));
  t.notOk(parts.some(runs), 'no part runs on');
});
