import t from 'tap';
import { Log } from '../../../../runtime/log.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../schemas/features/derive.js';
import type { LandedPrediction } from '../../../../scorer/explain/core/moves.js';
import { createExplainer, EXPLANATIONS_WAITING_MAX } from '../../../../scorer/explain/explainer.js';
import { createExplanations } from '../../../../scorer/explain/explanations.js';
import { logisticModel } from '../../../support/onnx.js';
import { scored, startTestScorer, type TestScorer } from '../../../support/scorer.js';
import { stumpModel } from '../../../support/tree-model.js';

const names = featureNames(view);
const log = new Log('test', 'error', () => undefined);
const SILENCE = names.indexOf('days_since_last_purchase');
const SPEND = names.indexOf('spend_30d');
/** Silence counts for churn, money against it; expectations are (3·-1 + 1·2) / 4 and (1·0.5 + 3·-0.5) / 4. */
const model = stumpModel(view, 'v1', [{ feature: SILENCE, at: 30, weights: [-1, 2], cover: [300, 100] }, { feature: SPEND, at: 10, weights: [0.5, -0.5], cover: [100, 300] }]);
const row = names.map((_, i) => (i === SILENCE ? 45 : i === SPEND ? 4 : 1));

async function explaining(t: { teardown(end: () => Promise<void>): unknown }, landed: readonly LandedPrediction[] | { unavailable: string } = []): Promise<TestScorer> {
  const explainer = createExplainer({ log });
  let holder: TestScorer['holder'] | undefined;
  const explanations = createExplanations({ view, explainer, modelOf: () => holder?.current(), recent: () => Promise.resolve(landed) });
  const scorer = await startTestScorer(t, { explanations });
  holder = scorer.holder;
  t.teardown(() => explainer.stop());
  return scorer;
}

interface Contribution { feature: string; description: string; value: number | null; contribution: number }
interface Answer { score: number; explanation: { margin: number; base_value: number; score: number; unit: string; model_version: string; note: string; contributions: Contribution[]; others: { contribution: number } } }
const predict = async (scorer: TestScorer, body: unknown): Promise<Response> =>
  fetch(`${scorer.url}/predict`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

t.test('a score is taken apart: the features that matter first, in words, and it all adds up', async (t) => {
  const scorer = await explaining(t);
  t.ok(await scorer.holder.offer(model));
  const answer = (await (await predict(scorer, { features: row, explain: true })).json()) as Answer;
  const { explanation } = answer;
  t.match(explanation, { unit: 'log_odds', model_version: 'v1', base_value: -0.5, note: /log-odds.*the score$/ });
  t.same(explanation.contributions.slice(0, 2).map(({ feature, description, value }) => [feature, description, value]),
    [['days_since_last_purchase', 'days since the latest purchase', 45], ['spend_30d', 'money spent in the last 30 days', 4]]);
  t.ok(Math.abs(explanation.contributions[0]!.contribution - 2.25) < 1e-6, 'from -0.25 to 2');
  t.ok(Math.abs(explanation.contributions[1]!.contribution - 0.75) < 1e-6, 'from -0.25 to 0.5');
  t.ok(Math.abs(explanation.base_value + explanation.others.contribution + explanation.contributions.reduce((sum, { contribution }) => sum + contribution, 0) - explanation.margin) < 1e-9);
  t.ok(Math.abs(explanation.margin - model.margin(row)) < 1e-6);
  t.ok(Math.abs(explanation.score - answer.score) < 1e-6);
  t.notOk('explanation' in ((await (await predict(scorer, { features: row, explain: false })).json()) as object));
  t.match(await (await predict(scorer, { features: row, explain: 1 })).json(), { status: 400, errors: [{ field: 'explain' }] });
});

t.test('a customer’s recent events each say what they changed', async (t) => {
  const landed = (n: number, spend: number, score: number): LandedPrediction =>
    ({ event_id: `e-${n}`, event_type: n === 2 ? null : 'purchase', trigger: n === 2 ? 'sweep' : 'event', event_time: 1_700_000_000_000 + n, score, model_version: 'v1', values: row.map((value, i) => (i === SPEND ? spend : value)) });
  const scorer = await explaining(t, [landed(1, NaN, 0.9), landed(2, 4, 0.9), landed(3, 12, 0.7)]);
  t.ok(await scorer.holder.offer(model));
  await scorer.store.put(0, 1, [{ customerId: 'C1', value: scored('C1', 3, 0.9, row).prediction }]);
  const answer = (await (await fetch(`${scorer.url}/customers/C1?explain=true`)).json()) as Answer & { recent: { available: boolean; events: Record<string, unknown>[] } };
  t.match(answer, { customer_id: 'C1', explanation: { model_version: 'v1' } });
  t.equal(answer.recent.available, true);
  t.match(answer.recent.events, [
    { event_id: 'e-3', event_type: 'purchase', score_before: 0.9, score_after: 0.7, features: [{ feature: 'spend_30d', before: 4, after: 12 }] },
    { event_id: 'e-2', event_type: null, trigger: 'sweep', score_change: 0, features: [{ feature: 'spend_30d', before: null, after: 4, contribution_change: 0 }] },
  ]);
  t.ok(Math.abs((answer.recent.events[0]!['margin_change'] as number) + 1) < 1e-6, 'the purchase takes 1 off the margin');
  t.equal((await fetch(`${scorer.url}/customers/C1?explain=maybe`)).status, 400);
  t.notOk('explanation' in ((await (await fetch(`${scorer.url}/customers/C1`)).json()) as object));
});

t.test('without ClickHouse the explanation stays, the events are not available', async (t) => {
  const scorer = await explaining(t, { unavailable: 'no answer from ClickHouse' });
  t.ok(await scorer.holder.offer(model));
  await scorer.store.put(0, 1, [{ customerId: 'C1', value: scored('C1', 3, 0.9, row).prediction }]);
  t.match(await (await fetch(`${scorer.url}/customers/C1?explain=true`)).json(), { explanation: { base_value: -0.5 }, recent: { available: false, reason: 'no answer from ClickHouse', events: [] } });
});

t.test('a model that cannot be explained still scores, and says why', async (t) => {
  const scorer = await explaining(t);
  t.ok(await scorer.holder.offer(logisticModel(view, 'foreign', 1)));
  const answer = await predict(scorer, { features: row, explain: true });
  t.equal(answer.status, 422);
  t.match(await answer.json(), { code: 'MODEL_NOT_EXPLAINABLE', detail: /^model foreign cannot be explained: it is made of .*MatMul/ });
  t.equal((await predict(scorer, { features: row })).status, 200);
});

t.test('a model whose covers were left out, or whose trees say something else than its scores, is not explained', async (t) => {
  const explainer = createExplainer({ log });
  t.teardown(() => explainer.stop());
  const scorer = await startTestScorer(t);
  const without = stumpModel(view, 'v2', [{ feature: 0, at: 1, weights: [-1, 1], cover: [0, 0] }]);
  t.ok(await scorer.holder.offer(without));
  await t.rejects(explainer.explain(scorer.holder.current()!, Float32Array.from(row)), { code: 'MODEL_NOT_EXPLAINABLE', message: /nodes_hitrates.*does not add up/ });
  t.ok(await scorer.holder.offer(model));
  const loaded = scorer.holder.current()!;
  const other = { ...loaded, manifest: { ...loaded.manifest, test_outputs: loaded.manifest.test_outputs.map((score) => score / 2) } };
  await t.rejects(explainer.explain(other, Float32Array.from(row)), { code: 'MODEL_NOT_EXPLAINABLE', message: /its score there is/ });
});

t.test('explanations wait in a bounded queue and never hold up a score', async (t) => {
  const explainer = createExplainer({ log });
  t.teardown(() => explainer.stop());
  const scorer = await startTestScorer(t);
  t.ok(await scorer.holder.offer(model));
  const asked = await Promise.allSettled(Array.from({ length: EXPLANATIONS_WAITING_MAX + 5 }, () => explainer.explain(scorer.holder.current()!, Float32Array.from(row))));
  t.equal(asked.filter(({ status }) => status === 'fulfilled').length, EXPLANATIONS_WAITING_MAX);
  for (const one of asked) if (one.status === 'rejected') t.match(one.reason, { code: 'PART_NOT_READY' });
  t.same(explainer.stats(), { waiting: 0, refused: 5, timed_out: 0 });
});
