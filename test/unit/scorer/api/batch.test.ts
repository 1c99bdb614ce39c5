import { request } from 'node:http';
import t from 'tap';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../schemas/features/derive.js';
import { logisticModel } from '../../../support/onnx.js';
import { seeded } from '../../../support/random.js';
import { scored, startTestScorer } from '../../../support/scorer.js';

const names = featureNames(view);
const model = logisticModel(view, 'v1', 1);
const random = seeded(7);
const rowsOf = (count: number): number[][] => Array.from({ length: count }, () => names.map(() => Math.round(random.normal() * 1e4) / 1e3));
const close = (a: unknown, b: number): boolean => Math.abs((a as number) - b) < 1e-6;

t.test('before the first model batches are told to come again', async (t) => {
  const { url } = await startTestScorer(t);
  const res = await post(`${url}/batch-predict`, JSON.stringify(rowsOf(2)));
  t.match(res, { status: 503, body: { code: 'PART_NOT_READY' } });
});

t.test('with a model', async (t) => {
  const { url, port, holder, store, metrics } = await startTestScorer(t);
  await holder.offer(model);
  store.put(0, 5, [{ customerId: 'Zoë', value: scored('Zoë', 4, 0.25, names.map((_, i) => i)).prediction }]);
  const zoe = model.score(names.map((_, i) => i));

  t.test('a list of rows, bare or as instances, of each form, in their order', async (t) => {
    const rows = rowsOf(1300);
    for (const body of [JSON.stringify(rows), JSON.stringify({ instances: rows }, null, 1), JSON.stringify(rows.map((features, i) => (i % 2 === 0 ? { features } : { features: Object.fromEntries(names.map((name, j) => [name, features[j]])) })))]) {
      const { status, body: answer } = await post(`${url}/batch-predict`, body);
      t.equal(status, 200);
      t.match(answer, { model_version: 'v1', view_version: 1, scored_at: /Z$/ });
      t.equal(answer.predictions.length, rows.length);
      t.equal(rows.findIndex((row, i) => !close(answer.predictions[i].score, model.score(row)) || (answer.predictions[i].decision === 'at_risk') !== (answer.predictions[i].score >= 0.5)), -1);
    }
  });

  t.test('customers beside rows; unknown ones are told in their place', async (t) => {
    const [row] = rowsOf(1);
    const { status, body } = await post(`${url}/batch-predict`, JSON.stringify([{ customer_id: 'Zoë' }, row, { customer_id: 'nobody' }]));
    t.equal(status, 200);
    t.match(body.predictions, [{ customer_id: 'Zoë' }, { decision: /keep|at_risk/ }, { customer_id: 'nobody', error: { status: 404, code: 'NOT_FOUND' } }]);
    t.ok(close(body.predictions[0].score, zoe) && close(body.predictions[1].score, model.score(row!)));
    t.equal(body.predictions[2].score, undefined);
  });

  t.test('what is no batch names row, field and rule', async (t) => {
    const [row] = rowsOf(1);
    for (const [body, field] of [
      [[row, row!.slice(1)], '1.features'], [[row, { features: row!.with(3, 'x' as never) }], '1.features.3'], [[], 'body'], [{ instances: [] }, 'body'], [{ rows: [row] }, 'body'], [5, 'body'],
      [[row, { customer_id: '' }], '1.customer_id'], [[[1, 2]], '0.features'], [row, '0.body'],
    ] as const) t.match(await post(`${url}/batch-predict`, JSON.stringify(body)), { status: 400, body: { code: 'INPUT_INVALID', errors: [{ field }] } }, JSON.stringify(body).slice(0, 40));
    for (const body of ['[', `[[${'1,'.repeat(20)}]]`, `${JSON.stringify([row])}]`]) t.match(await post(`${url}/batch-predict`, body), { status: 400, body: { errors: [{ field: 'body', rule: /JSON/ }] } });
    t.equal((await post(`${url}/batch-predict`, '[]', 'text/plain')).status, 415);
    t.equal((await post(`${url}/batch-predict`, ' '.repeat(17 * 2 ** 20))).status, 413);
  });

  t.test('a CSV document: columns in any order, those left out and empty cells are missing', async (t) => {
    const rows = rowsOf(1300);
    const order = names.map((_, i) => (i * 7) % names.length);
    const csv = [order.map((i) => names[i]).join(','), ...rows.map((row) => order.map((i) => row[i]).join(','))].join('\r\n');
    const { status, body } = await post(`${url}/batch-predict`, `\ufeff${csv}\r\n`, 'text/csv; charset=utf-8');
    t.equal(status, 200);
    t.equal(body.predictions.length, rows.length);
    t.equal(rows.findIndex((row, i) => !close(body.predictions[i].score, model.score(row))), -1);

    const partly = await post(`${url}/batch-predict`, `${names[2]},${names[0]}\n"1e2",\n`, 'text/csv');
    const same = await post(`${url}/batch-predict`, JSON.stringify([names.map((_, i) => (i === 2 ? 100 : null))]));
    t.same(partly.body.predictions, same.body.predictions);
    t.match(await post(`${url}/batch-predict`, 'customer_id\nZoë\nnobody\n', 'text/csv'), { status: 200, body: { predictions: [{ customer_id: 'Zoë' }, { customer_id: 'nobody', error: { status: 404 } }] } });
  });

  t.test('a CSV document that is none names row, column and rule', async (t) => {
    const [a, b] = names as [string, string];
    for (const [csv, errors] of [
      [`${a},nonsense\n1,2\n`, [{ field: 'nonsense', rule: /columns are features/ }]], [`${a},${a}\n1,2\n`, [{ field: a, rule: /one column/ }]], [`${a},customer_id\n1,Zoë\n`, [{ field: 'customer_id', rule: /alone/ }]],
      [`${a},${b}\n1,2\nx,1e39\n`, [{ field: `1.${a}`, rule: /a number/ }, { field: `1.${b}`, rule: /float32/ }]], [`${a},${b}\n1\n`, [{ field: 'body', rule: /as many cells/ }]],
      [`${a}\n`, [{ field: 'body', rule: /1 to 100000 rows, got 0/ }]], ['', [{ field: 'body' }]], [`customer_id\n${'x'.repeat(300)}\n`, [{ field: '0.customer_id' }]], [`${a}\n"1\n`, [{ field: 'body' }]],
      [`${a}\n${'1\n'.repeat(7 * 2 ** 20)}`, [{ field: 'body', rule: /1 to 100000 rows, got more/ }]], [`${Array.from({ length: 12_000 }, (_, i) => `c${i}`).join(',')}\n`, [{ field: 'body' }]],
      [`${Array.from({ length: 9000 }, (_, i) => `c${i}`).join(',')}\n${'1,'.repeat(8999)}1\n`, [{ field: 'c0', rule: /columns are features/ }]],
    ] as const) t.match(await post(`${url}/batch-predict`, csv, 'text/csv'), { status: 400, body: { code: 'INPUT_INVALID', errors } }, JSON.stringify(csv).slice(0, 60));
  });

  t.test('lines: each is answered by its score or by what is wrong with it', async (t) => {
    const rows = rowsOf(3);
    const lines = [JSON.stringify(rows[0]), '', JSON.stringify({ customer_id: 'Zoë' }), '{"features":', '  ', JSON.stringify({ features: rows[1]!.slice(2) }), `${JSON.stringify({ features: rows[2] })}\r`, '{"customer_id":"nobody"}'];
    for (const body of [lines.join('\n'), `${lines.join('\n')}\n`]) {
      const { status, type, text } = await post(`${url}/batch-predict`, body, 'application/x-ndjson');
      t.equal(status, 200);
      t.equal(type, 'application/x-ndjson');
      const answers = text.trimEnd().split('\n').map((line) => JSON.parse(line));
      t.match(answers, [{ decision: /./, model_version: 'v1' }, { customer_id: 'Zoë' }, { error: { status: 400 } }, { error: { errors: [{ field: 'features' }] } }, { degraded: false }, { customer_id: 'nobody', error: { status: 404 } }]);
      t.ok(close(answers[0].score, model.score(rows[0]!)) && close(answers[1].score, zoe) && close(answers[4].score, model.score(rows[2]!)));
    }
    t.match(await post(`${url}/batch-predict`, '', 'application/x-ndjson'), { status: 200, text: '' });
    t.match(await post(`${url}/batch-predict`, 'x'.repeat(200_000), 'application/x-ndjson'), { status: 413 });
  });

  t.test('a stream far larger than what may wait passes while its reader is slow; single requests are answered meanwhile', async (t) => {
    const rows = rowsOf(500);
    const block = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
    const blocks = 120;
    const req = request(`${url}/batch-predict`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } });
    let text = '';
    let pieces = 0;
    const singles: Promise<void>[] = [];
    const done = new Promise<void>((resolve, reject) => {
      req.on('response', (res) => {
        res.setEncoding('utf8');
        res.on('data', (piece: string) => {
          text += piece;
          if (pieces++ % 8 !== 0) return;
          res.pause();
          singles.push(post(`${url}/predict`, JSON.stringify(rows[0])).then(({ status }) => { t.equal(status, 200); res.resume(); }, reject));
        }).on('end', resolve).on('error', reject);
      }).on('error', reject);
    });
    for (let i = 0; i < blocks; i++) if (!req.write(block)) await new Promise((resolve) => req.once('drain', resolve));
    req.end();
    await done;
    // A stream paused at its last piece ends all the same.
    await Promise.all(singles);
    const answers = text.trimEnd().split('\n');
    t.equal(answers.length, blocks * rows.length);
    t.equal(answers.findIndex((line, i) => i % 97 === 0 && !close(JSON.parse(line).score, model.score(rows[i % rows.length]!))), -1);
    t.match(await metrics.text(), /tidemark_scorer_model_call_rows_count\{[^}]*source="bulk"[^}]*\} [1-9]/);
  });

  t.test('blocks that are done before the one ahead of them wait for it', async (t) => {
    // Names out of order take the general way, ten times as long as usual rows: every other block of 128 kB is of those.
    const rows = rowsOf(6000);
    const slow = (row: readonly number[]): string => JSON.stringify({ features: Object.fromEntries(names.map((name, i) => [name, row[i]] as const).reverse()) });
    const { text } = await post(`${url}/batch-predict`, rows.map((row, i) => (Math.floor(i / 500) % 2 === 0 ? slow(row) : JSON.stringify(row))).join('\n'), 'application/x-ndjson');
    const answers = text.trimEnd().split('\n');
    t.equal(answers.length, rows.length);
    t.equal(answers.findIndex((line, i) => !close(JSON.parse(line).score, model.score(rows[i]!))), -1);
  });

  t.test('single requests do not wait for a large batch', async (t) => {
    const body = JSON.stringify(Array.from({ length: 40 }, () => rowsOf(1000)).flat());
    let large: string | undefined;
    const order: string[] = [];
    const batch = post(`${url}/batch-predict`, body).then(({ status }) => { large = String(status); order.push('batch'); });
    for (let i = 0; i < 20 && large === undefined; i++) {
      t.equal((await post(`${url}/predict`, JSON.stringify(rowsOf(1)[0]))).status, 200);
      if (large === undefined) order.push('single');
    }
    await batch;
    t.equal(large, '200');
    t.ok(order.filter((what) => what === 'single').length >= 5, `${order.length - 1} single answers came before the batch’s`);
  });

  t.test('a client that goes away in the middle of a stream leaves nothing behind', async (t) => {
    const req = request({ port, path: '/batch-predict', method: 'POST', headers: { 'content-type': 'application/x-ndjson' } }).on('error', () => undefined);
    req.write(`${JSON.stringify(rowsOf(1)[0])}\n`.repeat(3000));
    await new Promise<void>((resolve) => { req.on('response', () => resolve()); });
    req.destroy();
    t.equal((await post(`${url}/batch-predict`, JSON.stringify(rowsOf(3)))).status, 200);
  });
});

interface Answer { status: number; type: string | null; text: string; body: any }
async function post(url: string, body: string, type = 'application/json'): Promise<Answer> {
  const res = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  const text = await res.text();
  return { status: res.status, type: res.headers.get('content-type'), text, body: /^application\/(problem\+)?json/.test(res.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined };
}
