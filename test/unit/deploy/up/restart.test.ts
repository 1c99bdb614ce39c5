import t from 'tap';
import { decideRestart, type RestartPolicy } from '../../../../deploy/up/core/restart.js';

const policy: RestartPolicy = { window_ms: 60_000, exits_max: 5, delay_ms_min: 100, delay_ms_max: 500 };

t.test('delays double up to their bound, and the fifth exit within the window is one too many', (t) => {
  let exits: readonly number[] = [];
  const delays: (number | string)[] = [];
  for (let now = 1_000_000; delays.at(-1) !== 'give_up'; now += 1_000) {
    const decision = decideRestart(exits, now, policy);
    exits = decision.exits;
    delays.push(decision.action === 'restart' ? decision.delay_ms : decision.action);
  }
  t.same(delays, [100, 200, 400, 500, 'give_up']);
  t.end();
});

t.test('exits older than the window are forgotten', (t) => {
  const now = 1_000_000;
  t.same(decideRestart([now - 60_000, now - 59_999], now, policy), { action: 'restart', delay_ms: 200, exits: [now - 59_999, now] });
  t.same(decideRestart([1, 2, 3, 4], now, policy), { action: 'restart', delay_ms: 100, exits: [now] });
  t.end();
});
