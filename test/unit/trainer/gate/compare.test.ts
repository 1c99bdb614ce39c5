import t from 'tap';
import { loadSettings } from '../../../../runtime/settings.js';
import type { ModelVersion } from '../../../../runtime/models/assemble.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { deploymentOf } from '../../../../schemas/ledger/deployment.js';
import { cardOf, readCard } from '../../../../trainer/core/gate/card.js';
import { calibrationSvg } from '../../../../trainer/core/gate/calibration-plot.js';
import { cardMarkdown } from '../../../../trainer/core/gate/card-markdown.js';
import { compareModels, type GateCandidate } from '../../../../trainer/gate/compare.js';
import { answerId, entranceOf, entriesOf, entranceSettings, isAnswered, reasonOf, refusalOf, type Deciding } from '../../../../trainer/gate/decision.js';
import type { LabelledRows } from '../../../../trainer/rows.js';
import { logisticModel, logisticOnnx, logisticScore, type LogisticModel } from '../../../support/onnx.js';
import { seeded } from '../../../support/random.js';

const settings = loadSettings({ GATE_BOOTSTRAP_ROUNDS: '300' });
const names = view.features.map(({ name }) => name);
const DAY = 86_400_000;

/** A logistic model with given weights on the first features. */
function model(version: string, weights: readonly number[], changes: Partial<LogisticModel['manifest']> = {}): LogisticModel {
  const base = logisticModel(view, version, 1, { data_to: 0, ...changes });
  const options = { weights: names.map((_, i) => weights[i] ?? 0), bias: 0 };
  const onnx = logisticOnnx(options);
  return { ...base, options, onnx, score: (row) => logisticScore(options, row), manifest: { ...base.manifest, onnx_bytes: onnx.length } };
}
const TRUTH = [0.9, -0.7, 0.4];
const version = (of: LogisticModel, offset = 1): ModelVersion => ({ manifest: of.manifest, onnx: of.onnx, offset });

/** Rows whose labels follow a logistic model of the first three features. */
function holdout(seed: number, customers: number, each: number): GateCandidate['holdout'] {
  const random = seeded(seed);
  const rows = customers * each;
  const values = Float32Array.from({ length: rows * names.length }, () => random.normal());
  const truth = model('truth', TRUTH);
  const labels = Float32Array.from({ length: rows }, (_, row) => (random() < truth.score(Array.from(values.subarray(row * names.length, (row + 1) * names.length))) ? 1 : 0));
  const held: LabelledRows = {
    feature_names: names, rows, values, labels, at: Float64Array.from({ length: rows }, (_, row) => (row + 1) * DAY / each), on_event: Uint8Array.from({ length: rows }, (_, row) => row % 2),
    customer: Uint32Array.from({ length: rows }, (_, row) => Math.floor(row / each)),
  };
  return { rows: held, segments: Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? 'tenure=0-30' : '')), channels: Array.from({ length: rows }, (_, row) => (row % 5 === 0 ? 'web' : '')) };
}
const held = holdout(3, 300, 4);
const candidate = (of: LogisticModel): GateCandidate => ({ manifest: of.manifest, onnx: of.onnx, holdout: held });
const good = model('good', TRUTH);
const poor = model('poor', [0.2, 0.1]);
const deciding: Deciding = { by: 'trainer', mode: 'canary', first_share: 0.05, force: false, retrain_event_id: 'r1' };

t.test('through ONNX Runtime: a better candidate is deployed, a planted bad one refused', async (t) => {
  const better = await compareModels(settings, candidate(good), version(poor));
  t.equal(better.verdict.outcome, 'deploy', better.verdict.reason);
  t.equal(better.champion, 'poor');
  t.ok(better.comparison.metrics.auc.gain!.low > 0);
  t.same(better.comparison.segments.map(({ segment }) => segment).sort(), ['channel=web', 'tenure=0-30', 'trigger=event', 'trigger=sweep']);
  t.ok(better.costs.candidate.one_row_us > 0 && better.costs.champion!.one_row_us > 0);
  const worse = await compareModels(settings, candidate(poor), version(good));
  t.equal(worse.verdict.outcome, 'keep');
  t.match(worse.verdict.reason, /not better beyond noise: log loss .* worse by/);
  const planted = await compareModels(settings, candidate(model('planted', TRUTH.map((w) => -w))), version(good));
  t.same(planted.verdict.checks.filter(({ passed }) => !passed).map(({ check }) => check), ['better', 'other_metrics', 'calibration', 'segments']);
});

t.test('rows that the champion was trained on are left out, unless too few others are there', async (t) => {
  const later = await compareModels(settings, candidate(good), version(model('recent', TRUTH, { data_to: 150 * DAY })));
  t.equal(later.comparison.rows, 600);
  t.equal(later.seen_by_champion, 0);
  const latest = await compareModels(settings, candidate(good), version(model('latest', TRUTH, { data_to: 299 * DAY })));
  t.equal(latest.comparison.rows, 1200);
  t.equal(latest.seen_by_champion, 1196);
});

t.test('a champion with its inputs in another order is fed its own; one of another view version is nothing to compare with', async (t) => {
  const order = [...names.keys()].reverse();
  const turned = model('turned', order.map((i) => TRUTH[i] ?? 0), { features: order.map((i) => names[i]!) });
  const same = await compareModels(settings, candidate(good), version(turned));
  t.ok(Math.abs(same.comparison.metrics.log_loss.gain!.value) < 1e-6, 'it scores as the same model does');
  const none = await compareModels(settings, candidate(poor), version(model('old', TRUTH, { view_version: view.version + 1 })));
  t.match(none, { champion: undefined, verdict: { outcome: 'deploy', reason: /no longer computed/ }, costs: { champion: null } });
  t.match((await compareModels(settings, candidate(poor), undefined)).verdict, { outcome: 'deploy', reason: /has no champion/ });
});

t.test('what the ledger says, by verdict, mode and order', async (t) => {
  const better = await compareModels(settings, candidate(good), version(poor));
  const worse = await compareModels(settings, candidate(poor), version(good));
  for (const [gate, champion, mode, force, expected] of [
    [better, 'poor', 'full', false, 'promoted'], [better, 'poor', 'canary', false, 'canary'], [better, 'poor', 'shadow', false, 'shadow'], [better, 'poor', 'none', false, 'registered'],
    [better, undefined, 'canary', false, 'promoted'], [worse, 'good', 'full', false, 'refused'], [worse, 'good', 'full', true, 'promoted'],
  ] as const) t.equal(entranceOf(gate, champion, { mode, force }), expected, `${gate === better ? 'better' : 'worse'} ${mode} ${String(force)}`);
  const about = { model: 'churn', version: 'good', at: 5 };
  const [registered, canary] = entriesOf(about, 'canary', better, deciding);
  t.match(registered, { action: 'registered', entry_id: answerId('r1'), retrain_event_id: 'r1', version: 'good', by: 'trainer' });
  t.match(canary, { action: 'canary', share: 0.05, reason: /better by/ });
  const [, promoted] = entriesOf(about, 'promoted', better, deciding);
  t.match(promoted, { action: 'promoted', champion: 'good' });
  t.equal(deploymentOf(entriesOf(about, 'promoted', better, deciding)).champion, 'good');
  const refused = entriesOf({ ...about, version: 'poor' }, 'refused', worse, deciding);
  t.equal(refused.length, 1);
  t.ok(isAnswered(refused, 'r1'));
  t.match(JSON.parse(refused[0]!.evidence), { compared_with: 'good', metric: 'log_loss', failed: /better/ });
  t.match(reasonOf(worse, 'promoted'), /^by order, against the gate: /);
  t.match(refusalOf({ model: 'churn', at: 1 }, 'TRAINING_DATA_INSUFFICIENT: none', {}, deciding), { version: '', action: 'refused', entry_id: answerId('r1') });
  t.same(entranceSettings({ ROLLOUT_MODE: 'canary', CANARY_STEPS: [] }), { mode: 'full', first_share: 1 }, 'a canary without steps is no trial');
  t.same(entranceSettings({ ROLLOUT_MODE: 'canary', CANARY_STEPS: [0.1, 0.5] }, 'shadow'), { mode: 'shadow', first_share: 0.1 });
});

t.test('the card says it in words, survives JSON, and plots the calibration', async (t) => {
  const gate = await compareModels(settings, candidate(poor), version(good));
  const card = cardOf({
    manifest: poor.manifest, gate, held_out: { from: 0, to: 300 * DAY }, importances: [{ feature: 'spend_30d', share: 0.75 }, { feature: 'tenure_days', share: 0.25 }],
    decision: { entrance: 'refused', reason: gate.verdict.reason, by: 'trainer', retrain_event_id: 'r1', asked_because: 'spend has moved' },
  });
  t.same(readCard(JSON.stringify(card)), card);
  t.equal(readCard(''), undefined);
  t.equal(readCard('{"format":9}'), undefined);
  t.equal(readCard('no JSON'), undefined);
  const text = cardMarkdown(readCard(JSON.stringify(card))!, 'calibration.svg');
  for (const piece of [/^# churn poor\n/, /\*\*Refused: the champion stays\.\*\* not better beyond noise/, /retrain event `r1`: spend has moved\./, /\| better \| \*\*no\*\* \|/, /\| channel=web \| 240 \|/,
    /\| `spend_30d` \| 75\.0 % \| █{30} \|/, /!\[share that churned by score\]\(calibration\.svg\)/, /1200 rows of 300 customers/, /\| hash of the rows \| `none` \|/]) t.match(text, piece);
  t.notMatch(text, /undefined|NaN|\[object/);
  const svg = calibrationSvg(card.comparison.calibration_points.candidate, card.comparison.calibration_points.champion);
  t.match(svg, /<polyline[^>]*points="[\d., ]+"/);
  t.equal((svg.match(/<circle/g) ?? []).length, card.comparison.calibration_points.candidate.length);
});
