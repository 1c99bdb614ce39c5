import t from 'tap';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import type { ApiLog } from '../../../../scorer/api-log/log.js';
import type { ApiRow } from '../../../../scorer/core/api-row.js';
import { logisticModel } from '../../../support/onnx.js';
import { scored, startTestScorer } from '../../../support/scorer.js';

const row = view.features.map((_, i) => (i % 6 === 0 ? null : i * 1.5 - 3));

t.test('a repeated POST /predict: the same answer without the model, logged as any other, until another model serves', async (t) => {
  const logged: (ApiRow & { readonly first: number })[] = [];
  const apiLog: ApiLog = {
    add: (one, matrix, at) => { logged.push({ ...one, first: matrix[at + 1]! }); }, block: () => undefined, stop: () => Promise.resolve(), counts: { landed: 0, dropped: 0, waitingBytes: 0 },
  };
  const { url, holder, store, calls, metrics } = await startTestScorer(t, { cacheRows: 1024, apiLog });
  const predict = async (body: unknown): Promise<Record<string, unknown>> => {
    const res = await fetch(`${url}/predict`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    t.equal(res.status, 200);
    return (await res.json()) as Record<string, unknown>;
  };
  const [v1, v2] = [logisticModel(view, 'v1', 1), logisticModel(view, 'v2', 2)];
  const values = row.map((value) => value ?? Number.NaN);
  await store.put(0, 5, [{ customerId: 'C1', value: scored('C1', 4, 0.25, values).prediction }]);
  await holder.offer(v1);

  const first = await predict(row);
  const second = await predict(row);
  t.ok(Math.abs((first['score'] as number) - v1.score(values)) < 1e-6);
  t.same({ ...second, scored_at: null }, { ...first, scored_at: null });
  t.ok(String(second['scored_at']) >= String(first['scored_at']));
  t.equal((await predict({ customer_id: 'C1' }))['score'], first['score'], 'a customer with these values');
  t.strictSame(calls, [1], 'one call for three answers');
  t.strictSame(logged.map(({ score, modelVersion, customerId, first: value }) => [score, modelVersion, customerId, value]), ['', '', 'C1'].map((id) => [first['score'], 'v1', id, values[1]]), 'each is in the log');

  await holder.offer(v2);
  const third = await predict(row);
  t.equal(third['model_version'], 'v2');
  t.ok(Math.abs((third['score'] as number) - v2.score(values)) < 1e-6, 'the new model’s score');
  t.notSame(third['score'], first['score']);
  await holder.offer(v1);
  t.equal((await predict(row))['model_version'], 'v1');
  t.strictSame(calls, [1, 1, 1]);
  const text = await metrics.text();
  t.match(text, /tidemark_scorer_cache_lookups_total\{[^}]*\} 5\n/);
  t.match(text, /tidemark_scorer_cache_hits_total\{[^}]*\} 2\n/);
});

t.test('a row that the model gives no probability for is degraded each time, and asked for each time', async (t) => {
  const { url, holder, calls } = await startTestScorer(t, { cacheRows: 1024 });
  t.ok(await holder.offer(logisticModel(view, 'v1', 1, {}, { failsFrom: 1000 })));
  const failing = JSON.stringify(view.features.map((_, i) => (i === 0 ? 2000 : 1)));
  for (let i = 0; i < 2; i++) {
    const res = await fetch(`${url}/predict`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: failing });
    t.match(await res.json(), { degraded: true, score: 0.5 });
  }
  t.strictSame(calls, [1, 1]);
});
