import { EventEmitter } from 'node:events';
import t from 'tap';
import { watchProgress } from '../../../../runtime/kafka/watchdog.js';
import { until } from '../../../support/wait.js';

t.test('silence ends the process, but not while the brokers answer nobody', async (t) => {
  const consumer = new EventEmitter();
  const failures: unknown[] = [];
  let reachable = false;
  let looks = 0;
  const watch = watchProgress(consumer as unknown as Parameters<typeof watchProgress>[0], 30, (error) => failures.push(error), () => { looks++; return reachable; }, 5);
  t.teardown(() => watch.stop());
  await until('the watchdog looks', () => looks > 20);
  t.same(failures, [], 'away for longer than the silence that is borne');
  reachable = true;
  await until('it ends', () => failures.length > 0);
  t.match(failures, [{ code: 'CONSUMER_STALLED' }]);
});
