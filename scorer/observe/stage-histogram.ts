import type { Registry } from 'prom-client';

/** Latencies by stage, counted in typed arrays: prom-client's own histogram costs more a row than scoring it. */
export interface StageHistogram {
  observe(stage: number, ms: number): void;
}

/**
 * @param bucketsMs upper bounds, rising, in whole milliseconds; a value above the last one counts in +Inf
 */
export function createStageHistogram(register: Registry, name: string, help: string, stages: readonly string[], bucketsMs: readonly number[]): StageHistogram {
  const width = bucketsMs.length + 1;
  const bounds = Float64Array.from(bucketsMs);
  const counts = new Float64Array(stages.length * width);
  const sumsMs = new Float64Array(stages.length);

  const values = () => stages.flatMap((stage, s) => {
    let total = 0;
    const buckets = Array.from({ length: width }, (_, b) => {
      total += counts[s * width + b] as number;
      const bound = bounds[b];
      return { metricName: `${name}_bucket`, labels: { stage, le: bound === undefined ? '+Inf' : String(bound / 1000) }, value: total };
    });
    return [...buckets, { metricName: `${name}_sum`, labels: { stage }, value: (sumsMs[s] as number) / 1000 }, { metricName: `${name}_count`, labels: { stage }, value: total }];
  });
  register.registerMetric({ name, help, type: 'histogram', aggregator: 'sum', get: () => Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values: values() }) } as never);

  return {
    observe(stage, ms) {
      let b = 0;
      while (b < bounds.length && ms > (bounds[b] as number)) b++;
      const at = stage * width + b;
      counts[at] = (counts[at] as number) + 1;
      sumsMs[stage] = (sumsMs[stage] as number) + ms;
    },
  };
}
