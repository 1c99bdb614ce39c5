import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession } from '../../runtime/models/session.js';
import { SETTINGS } from '../../runtime/settings.js';
import { createCachedCalls } from '../../scorer/model/cached-calls.js';
import type { LoadedModel } from '../../scorer/model/load.js';
import { random } from '../support/random.js';

/**
 * What a row costs with its score remembered and without, by the share of rows that come again and by the rows of a call: slices of 256
 * rows in turns, so that whatever else the machine does meets both; medians, µs of CPU a row. The other rows never come again.
 * SERVING_DIR: the built harness, for its model and rows. SLICES.
 */
const dir = process.env['SERVING_DIR'] ?? '';
const slices = Number(process.env['SLICES'] ?? 100);
const sample = readFileSync(join(dir, 'rows.jsonl'), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as (number | null)[]);
const F = sample[0]!.length;
const HOT = 100;
const COLD = 131_072;
const SLICE_ROWS = 256;
const cacheRows = SETTINGS.SCORER_CACHE_ROWS.parse(undefined);
const model = { session: openSession(readFileSync(join(dir, 'model.onnx')), F, 'bench'), manifest: { version: 'bench' } } as LoadedModel;
const calls = { score(matrix: Float32Array, rows: number, out: Float64Array): LoadedModel { model.session.score(matrix, rows, out, 0); return model; } };

const next = random(1);
const below = (n: number): number => Math.floor(next() * n);
const cold = new Float32Array(COLD * F);
for (let row = 0, at = 0; row < COLD; row++) for (const value of sample[below(sample.length)]!) cold[at++] = value === null ? Number.NaN : value * (0.75 + next() / 2);
const hot = cold.slice(0, HOT * F);
let coldAt = HOT;

/** Rows of a slice, one after the other. */
function rowsOf(share: number): Float32Array {
  const matrix = new Float32Array(SLICE_ROWS * F);
  for (let row = 0; row < SLICE_ROWS; row++) {
    const [from, at] = next() < share ? [hot, below(HOT)] : [cold, (coldAt = (coldAt + 1) % COLD)];
    matrix.set(from.subarray(at * F, (at + 1) * F), row * F);
  }
  return matrix;
}

const median = (values: number[]): number => Number(values.sort((a, b) => a - b)[values.length >> 1]!.toFixed(2));
const out = new Float64Array(SLICE_ROWS);
for (const rows of [1, 8, 32])
  for (const share of [0, 0.05, 0.1, 0.25, 0.5, 0.9]) {
    // A clock that stands still: it looks every row up, whether that pays or not.
    const cached = createCachedCalls({ holder: { current: () => model }, calls, featureCount: F, cacheRows, observe: () => undefined, now: () => 0 });
    const us = { without: [] as number[], remembered: [] as number[] };
    const slice = (by: Pick<typeof cached, 'score'>, matrix: Float32Array): number => {
      const before = process.cpuUsage();
      for (let at = 0; at < SLICE_ROWS; at += rows) by.score(matrix.subarray(at * F, (at + rows) * F), rows, out);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / SLICE_ROWS;
    };
    for (let i = -20; i < slices; i++) {
      const [without, remembered] = [slice(calls, rowsOf(share)), slice(cached, rowsOf(share))];
      if (i < 0) continue;
      us.without.push(without);
      us.remembered.push(remembered);
    }
    const { lookups, hits } = cached.counts;
    console.log(JSON.stringify({ bench: 'repeats', rows_a_call: rows, share, hit_rate: Number((hits / lookups).toFixed(3)), us_a_row: median(us.without), us_a_row_remembered: median(us.remembered) }));
  }
