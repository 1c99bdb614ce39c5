/** Labels the slow, obvious way. Times are epoch milliseconds. */
export interface LabelEvent { customer_id: string; event_type: string; event_time: number; kafka_partition: number; kafka_offset: number }
export interface LabelOutcome { customer_id: string; outcome: number; observed_at: number; kafka_partition: number; kafka_offset: number }
export interface LabelPrediction {
  prediction_id: string; customer_id: string; event_time: number; model_version: string; score: number; decision: string; trigger: string; degraded: boolean; channel: string;
  tenure_days: number; kafka_partition: number; kafka_offset: number;
}
export interface Label { prediction_id: string; churned: number; source: string }

const HOUR = 3_600_000;

/** The hour that each partition's events agree on, and the least of them; 0 without events. */
export function watermarkOf(events: readonly LabelEvent[]): number {
  const clocks = [...new Set(events.map((one) => one.kafka_partition))].map((partition) => {
    const own = events.filter((one) => one.kafka_partition === partition);
    const needed = Math.min(8, Math.ceil(new Set(own.map((one) => one.customer_id)).size / 2));
    const hours = [...new Set(own.map((one) => Math.floor(one.event_time / HOUR) * HOUR))].sort((a, b) => b - a);
    return hours.find((hour) => new Set(own.filter((one) => one.event_time >= hour).map((one) => one.customer_id)).size >= needed)!;
  });
  return clocks.length === 0 ? 0 : Math.min(...clocks);
}

/** One label for each prediction before `labelledTo`, of the first record with its id. */
export function labelsOf(predictions: readonly LabelPrediction[], events: readonly LabelEvent[], outcomes: readonly LabelOutcome[], horizonMs: number, labelledTo: number): Label[] {
  const seen = new Set<string>();
  const labels: Label[] = [];
  for (const prediction of [...predictions].sort((a, b) => a.kafka_offset - b.kafka_offset)) {
    if (prediction.event_time >= labelledTo || seen.has(prediction.prediction_id)) continue;
    seen.add(prediction.prediction_id);
    const within = (time: number): boolean => time > prediction.event_time && time <= prediction.event_time + horizonMs;
    const explicit = outcomes.filter((one) => one.customer_id === prediction.customer_id && within(one.observed_at))
      .sort((a, b) => a.observed_at - b.observed_at || a.kafka_offset - b.kafka_offset).at(-1);
    const bought = events.some((one) => one.customer_id === prediction.customer_id && one.event_type === 'purchase' && within(one.event_time));
    labels.push({ prediction_id: prediction.prediction_id, churned: explicit?.outcome ?? (bought ? 0 : 1), source: explicit === undefined ? 'events' : 'outcome' });
  }
  return labels.sort((a, b) => (a.prediction_id < b.prediction_id ? -1 : 1));
}
