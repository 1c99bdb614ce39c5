import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { createProfiler } from '../../schemas/drift/profiler.js';
import { insertPredictions, insertProfile, type TestPrediction } from './drift.js';
import type { Random } from './random.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const CHANNELS = ['web', 'app'] as const;
const FEATURES = ['score', 'tenure_days', 'events_7d', 'purchases_7d', 'spend_7d', 'carts_7d'] as const;

export interface ShopDay {
  /** Multiplies what customers do and spend. */
  readonly activity?: number;
  /** Hours of the day [from, to) whose purchases have no amount. */
  readonly nullAmounts?: readonly [from: number, to: number];
}

const HOURLY = 70;

function prediction(random: Random, at: number, version: string, activity: number): TestPrediction {
  const count = (mean: number): number => Math.round(mean * activity * random.exponential());
  return {
    event_time: at, model_version: version, channel: random.pick(CHANNELS), trigger: random.chance(0.5) ? 'event' : 'sweep', score: random(), tenure_days: 20 + 400 * random(),
    events_7d: count(12), purchases_7d: count(4), spend_7d: 40 * activity * random.exponential(), carts_7d: count(6),
  };
}

/** A day of a small shop in the tables that drift reads: predictions, and events with amounts. */
export async function landDay(client: ClickHouseClient, random: Random, dayStart: number, version: string, { activity = 1, nullAmounts }: ShopDay = {}): Promise<void> {
  const predictions: TestPrediction[] = [];
  const events: Record<string, unknown>[] = [];
  for (let hour = 0; hour < 24; hour++) {
    const missing = nullAmounts !== undefined && hour >= nullAmounts[0] && hour < nullAmounts[1];
    for (let i = 0; i < HOURLY; i++) {
      const at = dayStart + hour * HOUR_MS + Math.floor(random() * HOUR_MS);
      predictions.push(prediction(random, at, version, activity));
      const purchase = random.chance(0.3);
      const time = new Date(at).toISOString();
      events.push({
        event_id: `e${at}-${i}`, customer_id: `c${random.below(500)}`, event_type: purchase ? 'purchase' : 'page_view', amount: purchase && !missing ? Math.exp(3.5 + 0.5 * random.normal()) : null,
        quantity: null, channel: random.pick(CHANNELS), event_time: time, properties: {}, kafka_partition: 0, kafka_offset: at, kafka_time: time,
      });
    }
  }
  await client.insert({ table: 'events', values: events, format: 'JSONEachRow' });
  await insertPredictions(client, predictions);
}

/** A version whose training rows were quiet days of this shop. */
export async function landModel(client: ClickHouseClient, random: Random, version: string, metrics: Record<string, number> = {}): Promise<void> {
  const profiler = createProfiler();
  for (let i = 0; i < 20_000; i++) {
    const row = prediction(random, 0, version, 1);
    for (const feature of FEATURES) for (const segment of ['', `channel=${row.channel}`]) profiler.add(segment, feature, row[feature]);
  }
  await insertProfile(client, 'churn', version, profiler.profiles(), metrics);
}
