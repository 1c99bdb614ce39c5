import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { Log } from '../../../runtime/log.js';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../schemas/features/derive.js';
import { createExplainer } from '../../../scorer/explain/explainer.js';
import { createExplanations } from '../../../scorer/explain/explanations.js';
import type { LoadedModel } from '../../../scorer/model/load.js';
import { logisticModel } from '../../support/onnx.js';
import { pythonTools, QUIET_ENV, SERVING_REQUIREMENTS } from '../../support/python.js';
import { seeded } from '../../support/random.js';
import { scored, startTestScorer } from '../../support/scorer.js';

t.setTimeout(400_000);
const run = promisify(execFile);
const names = featureNames(view);
const model = logisticModel(view, 'v1', 1);
const random = seeded(11);
const rows = Array.from({ length: 5 }, () => names.map(() => Math.fround(random.normal() * 3)));
const tools = await pythonTools(SERVING_REQUIREMENTS);
const skip = 'missing' in tools && tools.missing;

const log = new Log('test', 'error', () => undefined);
const explainer = createExplainer({ log });
t.teardown(() => explainer.stop());
let current: () => LoadedModel | undefined = () => undefined;
const explanations = createExplanations({ view, explainer, modelOf: () => current(), recent: () => Promise.resolve({ unavailable: 'no ClickHouse here' }) });
const { port, holder, store } = await startTestScorer(t, { explanations });
current = holder.current;
await holder.offer(model);
store.put(0, 5, [{ customerId: 'C1', value: scored('C1', 4, 0.25, rows[0]!).prediction }]);

t.test('Triton’s client works unchanged: health, metadata, tensors of several types in JSON and as bytes, both ways', { skip }, async (t) => {
  if ('missing' in tools) return;
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-triton-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'rows.json');
  writeFileSync(file, JSON.stringify(rows));
  const { stdout } = await run(tools.python, [join(PROJECT_ROOT, 'test', 'support', 'foreign', 'triton_client.py'), `127.0.0.1:${port}`, 'churn', file], { env: QUIET_ENV, timeout: 120_000, maxBuffer: 10_000_000 });
  const said = JSON.parse(stdout);
  t.match(said, {
    live: true, ready: true, model_ready: true, version_ready: true, other_version_ready: false,
    server: { name: 'tidemark', extensions: ['binary_tensor_data'] }, model: { name: 'churn', versions: ['v1'], inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, names.length] }] },
  });
  const expected = rows.map((row) => model.score(row));
  const near = (scores: number[], wanted: readonly number[]): boolean => scores.length === wanted.length && scores.every((score, i) => Math.abs(score - wanted[i]!) < 1e-6);
  const decisions = expected.map((score) => (score >= 0.5 ? 'at_risk' : 'keep'));
  t.equal(said.answers.length, 6);
  for (const [i, answer] of said.answers.entries()) {
    t.ok(near(answer.score, expected), `answer ${i}: ${answer.score}`);
    t.equal(answer.version, 'v1');
    t.equal(answer.dtype, 'float32');
    if (answer.decision !== null) t.same(answer.decision, decisions, `answer ${i}`);
  }
  t.same(said.answers.map((answer: { decision: unknown }) => answer.decision !== null), [true, true, false, true, false, true], 'outputs that were asked for, all where none was named');
  const zeros = rows.map(() => model.score(names.map(() => 0)));
  t.ok(near(said.half.score, zeros) && near(said.whole.score, zeros) && near(said.async, expected));
  t.ok(near(said.many, expected.flatMap((score) => Array<number>(400).fill(score))), 'a tensor that goes to the worker');
  t.match(said.errors, [['400', /"wrong" is no input of this model, which has input/], ['400', /shape \[5,19\].*expected \[rows, 20\]/]]);
});

t.test('Schemathesis finds no failure and no answer that the document does not have', { skip }, async (t) => {
  if ('missing' in tools) return;
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-schemathesis-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const args = ['-m', 'schemathesis.cli', 'run', `http://127.0.0.1:${port}/openapi.json`, '--phases', 'examples,coverage,fuzzing', '--max-examples', '12', '--seed', '20261129', '--workers', '1',
    '--exclude-path', '/stream', // it never ends by itself
    '--checks', 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,negative_data_rejection', '--generation-database', 'none', '--no-color'];
  const outcome = await run(tools.python, args, { env: QUIET_ENV, timeout: 240_000, maxBuffer: 50_000_000, cwd: folder }).then(({ stdout }) => ({ failed: false, stdout }), (error: { stdout?: string; message: string }) => ({ failed: true, stdout: error.stdout ?? error.message }));
  t.notOk(outcome.failed, outcome.stdout.slice(-6000));
  const [, selected] = /(\d+) selected/.exec(outcome.stdout) ?? [];
  t.ok(Number(selected) > 15, `${selected} operations`);
  t.match(outcome.stdout, new RegExp(`Fuzzing[^]*${selected} passed`));
});
