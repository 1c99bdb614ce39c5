import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { TidemarkError } from '../../../../runtime/errors.js';
import { createSection } from '../../../../scorer/page/section.js';

t.test('one reading serves all who ask within its time, and the former one while the next is read', async (t) => {
  let [now, loads] = [1000, 0];
  let release = (): void => undefined;
  const section = createSection({ name: 'x', keep_ms: 100, deadline_ms: 5000, now: () => now, load: () => new Promise<number>((resolve) => { const n = ++loads; release = () => resolve(n); }) });
  const first = [section.read(), section.read()];
  release();
  t.same(await Promise.all(first), [{ at: 1000, value: 1 }, { at: 1000, value: 1 }]);
  now += 99;
  t.same(await section.read(), { at: 1000, value: 1 });
  now += 1;
  t.same(await section.read(), { at: 1000, value: 1 }, 'at once, while the second is read');
  t.equal(loads, 2);
  release();
  await turn();
  t.same(await section.read(), { at: 1100, value: 2 });
});

t.test('what fails keeps the former answer with the error, and is tried again after growing pauses', async (t) => {
  let now = 0;
  let failing = false;
  const tries: number[] = [];
  const section = createSection({
    name: 'ledger', keep_ms: 1000, deadline_ms: 5000, now: () => now,
    load: () => { tries.push(now); return failing ? Promise.reject(new TidemarkError('CLICKHOUSE_UNREACHABLE', 'no answer from ClickHouse')) : Promise.resolve('rows'); },
  });
  t.same(await section.read(), { at: 0, value: 'rows' });
  failing = true;
  for (; now < 60_000; now += 500) { await section.read(); await turn(); }
  t.match(await section.read(), { at: 0, value: 'rows', error: { code: 'CLICKHOUSE_UNREACHABLE', detail: 'ledger: no answer from ClickHouse' } });
  t.same(tries, [0, 1000, 3000, 7000, 15_000, 30_000, 45_000, 60_000]);
  failing = false;
  now += 15_000;
  await section.read();
  await turn();
  t.strictSame(await section.read(), { at: now, value: 'rows' });
});

t.test('a reading beyond its deadline is an error and holds nobody up longer', async (t) => {
  const section = createSection({ name: 'slow', keep_ms: 1000, deadline_ms: 30, load: (signal) => new Promise((_resolve, reject) => {
    const alive = setTimeout(reject, 60_000);
    signal.addEventListener('abort', () => { clearTimeout(alive); reject(signal.reason as Error); });
  }) });
  t.match(await section.read(), { at: null, value: null, error: { code: 'CLICKHOUSE_UNREACHABLE', detail: /^slow: no answer within 30 ms/ } });
});
