import { binOf } from '../../../schemas/drift/bins.js';
import type { Histogram } from './shop.js';

/** Histograms of a feature over days [from, to), as one. */
export function merged(days: readonly (readonly Histogram[])[], from: number, to: number, feature: number): Histogram {
  const sum: Histogram = new Map();
  for (let day = from; day < to; day++)
    for (const [bin, { rows, total }] of days[day]![feature]!) {
      const cell = sum.get(bin);
      if (cell === undefined) sum.set(bin, { rows, total });
      else { cell.rows += rows; cell.total += total; }
    }
  return sum;
}

/** The distances of two histograms, missing values left out: KS over all bins, the others over the reference's deciles. */
export function distances(reference: Histogram, current: Histogram): { ks: number; js: number; psi: number; wasserstein: number; n: number; m: number } {
  const bins = [...new Set([...reference.keys(), ...current.keys()])].filter((bin) => bin !== binOf(NaN)).sort((a, b) => a - b);
  const count = (histogram: Histogram): number => bins.reduce((sum, bin) => sum + (histogram.get(bin)?.rows ?? 0), 0);
  const [m, n] = [count(reference), count(current)];
  const value = (bin: number): number => { const [r, c] = [reference.get(bin), current.get(bin)]; return ((r?.total ?? 0) + (c?.total ?? 0)) / ((r?.rows ?? 0) + (c?.rows ?? 0)); };
  let [cumR, cumC, ks, area, before, mean, squares] = [0, 0, 0, 0, NaN, 0, 0];
  const deciles: [number, number][] = [[0, 0]];
  for (const bin of bins) {
    const v = value(bin);
    if (!Number.isNaN(before)) area += Math.abs(cumR - cumC) * (v - before);
    before = v;
    const [p, q] = [(reference.get(bin)?.rows ?? 0) / m, (current.get(bin)?.rows ?? 0) / n];
    mean += p * v;
    squares += p * v * v;
    if (Math.floor(cumR * 10 + 1e-9) > deciles.length - 1) deciles.push([0, 0]);
    deciles.at(-1)![0] += p;
    deciles.at(-1)![1] += q;
    cumR += p;
    cumC += q;
    ks = Math.max(ks, Math.abs(cumR - cumC));
  }
  let [js, psi] = [0, 0];
  for (const [p, q] of deciles) {
    const middle = (p + q) / 2;
    if (p > 0) js += (p * Math.log2(p / middle)) / 2;
    if (q > 0) js += (q * Math.log2(q / middle)) / 2;
    psi += ((p || 1e-4) - (q || 1e-4)) * Math.log((p || 1e-4) / (q || 1e-4));
  }
  return { ks, js: Math.sqrt(Math.max(0, js)), psi, wasserstein: area / Math.max(0.001, Math.sqrt(Math.max(0, squares - mean * mean))), n, m };
}
