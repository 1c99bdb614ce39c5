import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { EVENT_TYPES } from '../../schemas/events/customer-event.js';
import type { LabelEvent, LabelOutcome, LabelPrediction } from './label-oracle.js';
import type { Random } from './random.js';

const DAY = 86_400_000;
export const HISTORY_START = Date.UTC(2026, 0, 1);

export interface LabelHistory { events: LabelEvent[]; outcomes: LabelOutcome[]; predictions: LabelPrediction[] }

/** Customers who act at random, scores after some of the events and in silence, a few explicit outcomes; scores have ties. */
export function labelHistory(random: Random, { customers = 60, days = 100, partitions = 3 } = {}): LabelHistory {
  const events: LabelEvent[] = [];
  const outcomes: LabelOutcome[] = [];
  const predictions: LabelPrediction[] = [];
  const score = (): number => Math.round(random() * 20) / 20;
  const predict = (customer: number, at: number, first: number, trigger: 'event' | 'sweep'): void => {
    const value = score();
    predictions.push({
      prediction_id: '', customer_id: `c${customer}`, event_time: at, model_version: at < HISTORY_START + 50 * DAY || random.chance(0.1) ? 'v1' : 'v2', score: value, decision: value >= 0.5 ? 'at_risk' : 'keep',
      trigger, degraded: random.chance(0.03), channel: trigger === 'sweep' ? '' : random.pick(['web', 'app', 'Café']), tenure_days: (at - first) / DAY, kafka_partition: customer % partitions, kafka_offset: 0,
    });
  };
  for (let customer = 0; customer < customers; customer++) {
    const gap = (1 + random.below(20)) * DAY;
    const first = HISTORY_START + Math.floor(random() * 40 * DAY);
    for (let at = first; at < HISTORY_START + days * DAY; at += Math.ceil(random.exponential() * gap)) {
      events.push({ customer_id: `c${customer}`, event_type: random.chance(0.3) ? 'purchase' : random.pick(EVENT_TYPES), event_time: at, kafka_partition: customer % partitions, kafka_offset: 0 });
      if (random.chance(0.6)) predict(customer, at, first, 'event');
      if (random.chance(0.3)) predict(customer, at + Math.floor(random() * 3 * DAY), first, 'sweep');
      if (random.chance(0.05)) outcomes.push({ customer_id: `c${customer}`, outcome: random.below(2), observed_at: at + random.below(3) * DAY, kafka_partition: customer % partitions, kafka_offset: 0 });
    }
  }
  // A purchase in the very moment of a score, and one exactly at the end of its horizon.
  for (const prediction of predictions.slice(0, 40)) {
    const days_later = random.pick([0, 14]);
    events.push({ customer_id: prediction.customer_id, event_type: 'purchase', event_time: prediction.event_time + days_later * DAY, kafka_partition: prediction.kafka_partition, kafka_offset: 0 });
  }
  const arrive = <T extends { kafka_partition: number; kafka_offset: number }>(rows: T[], time: (row: T) => number): void => {
    const next = new Map<number, number>();
    rows.sort((a, b) => time(a) - time(b));
    for (const row of rows) {
      row.kafka_offset = next.get(row.kafka_partition) ?? 0;
      next.set(row.kafka_partition, row.kafka_offset + 1);
    }
  };
  arrive(events, (row) => row.event_time);
  arrive(outcomes, (row) => row.observed_at);
  arrive(predictions, (row) => row.event_time);
  for (const one of predictions) one.prediction_id = `${one.kafka_partition}-${one.kafka_offset}`;
  return { events, outcomes, predictions };
}

/** Puts rows into the tables as landing does; whole numbers are milliseconds. */
export async function land(client: ClickHouseClient, { events = [], outcomes = [], predictions = [] }: Partial<LabelHistory>): Promise<void> {
  const insert = async (table: string, values: object[]): Promise<void> => {
    if (values.length > 0) await client.insert({ table, values, format: 'JSONEachRow', clickhouse_settings: { max_partitions_per_insert_block: '1000' } });
  };
  await insert('events', events.map((one) => ({ ...one, event_id: `e-${one.kafka_partition}-${one.kafka_offset}`, amount: 1, quantity: null, channel: 'web', kafka_time: one.event_time })));
  await insert('outcomes', outcomes.map((one) => ({ ...one, kafka_time: one.observed_at })));
  await insert('predictions', predictions.map((one) => ({ ...one, event_id: 'e', scored_at: one.event_time, view_version: 1, produced_at: one.event_time, features_at: one.event_time, kafka_time: one.event_time })));
}
