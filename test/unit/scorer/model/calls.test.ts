import t from 'tap';
import { Log } from '../../../../runtime/log.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../schemas/features/derive.js';
import { createModelCalls } from '../../../../scorer/model/calls.js';
import { createModelHolder } from '../../../../scorer/model/swap.js';
import { logisticModel } from '../../../support/onnx.js';

const names = featureNames(view);
const events: string[] = [];
const log = new Log('test', 'info', (line) => { events.push((JSON.parse(line) as { event: string }).event); });
const row = (first: number): Float32Array => Float32Array.from(names, (_, i) => (i === 0 ? first : 1));

t.test('where the model fails the one before it scores; where that fails too a row has no score, and no other row suffers', async (t) => {
  const holder = createModelHolder({ view, log });
  t.teardown(() => holder.close());
  let now = 0;
  const failed: string[] = [];
  const calls = createModelCalls({ holder, log, now: () => now, onFailed: (version, rows) => failed.push(`${version} ${rows}`) });
  const out = new Float64Array(3);
  t.throws(() => calls.score(row(1), 1, out), { code: 'PART_NOT_READY' });
  const first = logisticModel(view, 'first', 1, {}, { failsFrom: 5000 });
  const second = logisticModel(view, 'second', 2, {}, { failsFrom: 1000 });
  t.ok(await holder.offer(first));
  t.ok(await holder.offer(second));

  t.equal(calls.score(row(1), 1, out).manifest.version, 'second');
  t.equal(calls.trouble(), undefined);
  t.equal(calls.score(row(2000), 1, out).manifest.version, 'first', 'which this row is no trouble for');
  t.ok(Math.abs(out[0]! - first.score(Array.from(row(2000)))) < 1e-6);
  t.match(calls.trouble(), { version: 'second', served_by: 'first', message: /ONNX Runtime failed on 1 rows/ });
  t.equal(calls.score(row(6000), 1, out).manifest.version, 'second');
  t.ok(Number.isNaN(out[0]!), 'no score');
  t.match(calls.trouble(), { served_by: 'nobody' });

  t.equal(calls.score(Float32Array.from([...row(1), ...row(6000), ...row(2)]), 3, out).manifest.version, 'second');
  t.ok(Math.abs(out[0]! - second.score(Array.from(row(1)))) < 1e-6 && Math.abs(out[2]! - second.score(Array.from(row(2)))) < 1e-6);
  t.ok(Number.isNaN(out[1]!), 'the one alone');
  t.same(failed, ['second 1', 'second 1', 'second 3']);
  t.equal(events.filter((event) => event === 'model_failed').length, 1, 'one line for all of them');
  now += 5000;
  t.equal(calls.trouble(), undefined, 'a failure is told for five seconds');
});

t.test('of three versions the oldest is let go', async (t) => {
  const holder = createModelHolder({ view, log });
  t.teardown(() => holder.close());
  for (const [seed, version] of ['a', 'b', 'c'].entries()) t.ok(await holder.offer(logisticModel(view, version, seed)));
  t.equal(holder.current()?.manifest.version, 'c');
  t.equal(holder.standby()?.manifest.version, 'b');
});
