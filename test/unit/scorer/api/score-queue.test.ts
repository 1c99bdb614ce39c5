import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { createScoreQueue, QUEUE_ROWS_MAX, QUEUE_WAIT_MS_MAX } from '../../../../scorer/api/score-queue.js';
import { chooseChunkRows } from '../../../../scorer/core/chunk.js';
import type { LoadedModel } from '../../../../scorer/model/load.js';

/**
 * Requests that come at a rate to a queue whose model takes `rowMs` a row, on a clock that only the model moves: those that come during
 * a call are read after it, as sockets are.
 */
async function load({ rowMs, perMs, totalMs, stallMs = 0 }: { rowMs: number; perMs: number; totalMs: number; stallMs?: number }) {
  let now = 0;
  const costs = [{ rows: 1, us_per_row: rowMs * 1000 }, { rows: 64, us_per_row: rowMs * 900 }];
  const model = { manifest: { version: 'v1' }, chunkRows: chooseChunkRows(costs), costs } as unknown as LoadedModel;
  const queue = createScoreQueue({
    holder: { current: () => model }, fallbackScore: 0.5, featureCount: 1, threshold: 0.5, clock: () => now, now: () => now,
    calls: { score(_matrix, rows, out) { now += rows * rowMs; out.fill(0.5, 0, rows); return model; } },
  });
  const waits: number[] = [];
  const sinceArrival: number[] = [];
  let refused = 0;
  let refusedInTurn = 0;
  for (let arrived = 0, turn = 0; now < totalMs; turn++) {
    if (turn === 20) now += stallMs;
    for (refusedInTurn = 0; arrived < now * perMs; arrived++) {
      const at = now;
      const due = arrived / perMs;
      if (queue.next() < 0) { refused++; refusedInTurn++; continue; }
      queue.submit((answer) => {
        if (answer instanceof Error) throw answer;
        waits.push(now - at);
        sinceArrival.push(now - due);
      });
    }
    const before = now;
    await nextTurn();
    if (now === before) now += 0.1;
  }
  return { queue, refused, waits, most: Math.max(...waits), mostSinceArrival: Math.max(...sinceArrival), busy: (waits.length * rowMs) / now };
}

t.test('more than can be scored: rows beyond the bound by time are refused, the others wait about that long, and the model is never idle', async (t) => {
  const cases: [string, rowMs: number, overload: number][] = [['a quick model', 0.05, 3], ['a slow one', 1, 3], ['a very slow one', 10, 3], ['a little too much', 1, 1.2], ['far too much', 1, 50]];
  for (const [name, rowMs, overload] of cases) {
    const { refused, waits, most, mostSinceArrival, busy, queue } = await load({ rowMs, perMs: overload / rowMs, totalMs: 4000 });
    t.ok(refused > 0 && queue.counts.refused === refused, `${name}: ${refused} refused, ${waits.length} answered`);
    t.ok(queue.counts.overloaded, name);
    t.ok(most <= 1.1 * QUEUE_WAIT_MS_MAX + rowMs, `${name}: waits at most ${most.toFixed(1)} ms in the queue`);
    t.ok(mostSinceArrival <= 2.4 * QUEUE_WAIT_MS_MAX, `${name}: at most ${mostSinceArrival.toFixed(1)} ms after it came, what came before its socket was read included`);
    t.ok(busy > 0.9, `${name}: the model is busy ${(busy * 100).toFixed(0)} % of the time`);
    t.ok(Math.abs(refused / (refused + waits.length) - (1 - 1 / overload)) < 0.1, `${name}: no more are refused than must be`);
  }
});

t.test('less than can be scored: nobody is refused, a moment’s standstill notwithstanding', async (t) => {
  t.equal((await load({ rowMs: 0.05, perMs: 10, totalMs: 2000 })).refused, 0);
  t.equal((await load({ rowMs: 1, perMs: 0.6, totalMs: 4000 })).refused, 0);
  t.equal((await load({ rowMs: 1, perMs: 0.3, totalMs: 4000, stallMs: 100 })).refused, 0);
});

t.test('the bound by count; overload is told for five seconds', async (t) => {
  let now = 0;
  const model = { manifest: { version: 'v1' }, chunkRows: 512, costs: [{ rows: 1, us_per_row: 1 }] } as unknown as LoadedModel;
  const queue = createScoreQueue({ holder: { current: () => model }, fallbackScore: 0.5, featureCount: 1, threshold: 0.5, clock: () => now, now: () => now, calls: { score: () => model } });
  let answered = 0;
  for (let i = 0; i < QUEUE_ROWS_MAX; i++) {
    if (queue.next() !== i) t.fail(`row ${i} has no place`);
    queue.submit(() => { answered++; });
  }
  t.notOk(queue.counts.overloaded);
  t.equal(queue.next(), -1);
  t.ok(queue.counts.overloaded);
  await nextTurn();
  t.equal(answered, QUEUE_ROWS_MAX);
  t.equal(queue.next(), 0, 'there is room again');
  now += 4999;
  t.ok(queue.counts.overloaded);
  now += 1;
  t.notOk(queue.counts.overloaded);
});
