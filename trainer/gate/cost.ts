import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Cost } from '../core/gate/verdict.js';
import type { OpenModel } from './score.js';

const PASSES = 7;
const CALLS = 200;
const MANY = 64;

/**
 * What the models take for a call with one row and for a row among many: the quickest of several passes over real rows (a
 * few repeated ones look faster than they are), the models taking turns, so that whatever else the machine does hits all alike.
 */
export async function measureCosts(models: readonly OpenModel[], now: () => number = () => performance.now()): Promise<Cost[]> {
  const best = models.map(() => ({ one: Infinity, many: Infinity }));
  for (let pass = 0; pass < PASSES; pass++) {
    for (const [i, model] of models.entries()) {
      best[i]!.one = Math.min(best[i]!.one, usPerRow(model, 1, CALLS, now));
      best[i]!.many = Math.min(best[i]!.many, usPerRow(model, Math.min(MANY, model.rows), CALLS / 8, now));
      await nextTurn();
    }
  }
  return models.map(({ bytes }, i) => ({ one_row_us: best[i]!.one, many_rows_us: best[i]!.many, bytes }));
}

function usPerRow({ session, inputs, rows }: OpenModel, size: number, calls: number, now: () => number): number {
  const out = new Float64Array(size);
  const width = session.featureCount;
  let at = 0;
  const started = now();
  for (let call = 0; call < calls; call++) {
    if (at + size > rows) at = 0;
    session.score(inputs.subarray(at * width, (at + size) * width), size, out, 0);
    at += size;
  }
  return ((now() - started) * 1000) / (calls * size);
}
