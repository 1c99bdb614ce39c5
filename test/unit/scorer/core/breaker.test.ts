import t from 'tap';
import { createBreaker } from '../../../../scorer/core/breaker.js';

const BOUNDS = { failures_max: 3, pause_ms: 100, pause_ms_max: 350 };

t.test('it opens after failures in a row, tries once after the pause, and closes with a success', async (t) => {
  const breaker = createBreaker(BOUNDS);
  for (const at of [0, 1]) { t.ok(breaker.admits(at)); breaker.failed(at); }
  breaker.succeeded();
  for (const at of [2, 3]) { t.ok(breaker.admits(at)); breaker.failed(at); }
  t.equal(breaker.state(3), 'closed', 'a success in between starts anew');
  breaker.failed(4);
  t.equal(breaker.state(4), 'open');
  t.notOk(breaker.admits(103));
  breaker.failed(50);
  t.equal(breaker.state(103), 'open', 'a call from before does not prolong it');
  t.equal(breaker.state(104), 'half_open');
  t.ok(breaker.admits(104), 'one may try');
  t.notOk(breaker.admits(104), 'one alone');
  breaker.failed(110);
  t.notOk(breaker.admits(309), 'the pause has doubled');
  t.ok(breaker.admits(310));
  breaker.failed(310);
  t.notOk(breaker.admits(659), 'up to its bound');
  t.ok(breaker.admits(660));
  breaker.succeeded();
  t.ok(breaker.admits(661));
  t.equal(breaker.opened, 1);
});
