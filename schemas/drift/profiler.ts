import type { FeatureProfile } from '../events/model.js';
import { binOf } from './bins.js';

/** Collects how features are distributed over a model's rows, in all of them and in segments (schemas/drift/segments.ts). */
export interface Profiler {
  /** One value of one row; NaN counts as missing. @param segment empty for all rows */
  add(segment: string, feature: string, value: number): void;
  /** Ordered by segment and feature. */
  profiles(): FeatureProfile[];
}

interface Counts {
  readonly bins: Map<number, number>;
  total: number;
  squares: number;
  low: number;
  high: number;
}

export function createProfiler(): Profiler {
  const segments = new Map<string, Map<string, Counts>>();
  return {
    add(segment, feature, value) {
      let features = segments.get(segment);
      if (features === undefined) segments.set(segment, (features = new Map()));
      let counts = features.get(feature);
      if (counts === undefined) features.set(feature, (counts = { bins: new Map(), total: 0, squares: 0, low: Infinity, high: -Infinity }));
      const bin = binOf(value);
      counts.bins.set(bin, (counts.bins.get(bin) ?? 0) + 1);
      if (Number.isNaN(value)) return;
      counts.total += value;
      counts.squares += value * value;
      counts.low = Math.min(counts.low, value);
      counts.high = Math.max(counts.high, value);
    },
    profiles: () => [...segments].sort(byName).flatMap(([segment, features]) => [...features].sort(byName).map(([feature, counts]) => {
      const bins = [...counts.bins.keys()].sort((a, b) => a - b);
      const known = counts.low <= counts.high;
      return {
        feature, segment, bins, rows: bins.map((bin) => counts.bins.get(bin)!), total: counts.total, squares: counts.squares,
        low: known ? counts.low : 0, high: known ? counts.high : 0,
      };
    })),
  };
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);
