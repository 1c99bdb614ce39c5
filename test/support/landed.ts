import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { difference } from './features.js';
import { Oracle, type OracleEvent } from './oracle.js';

export interface Expected {
  /** Well-formed records: each one a row of `events`. */
  records: number;
  /** Amounts of all of them. */
  amount: number;
  /** The vector of each accepted live event, by event_id. */
  readonly live: Map<string, { readonly customer_id: string; readonly vector: readonly number[] }>;
  readonly deadLetters: Map<string, number>;
}

/** What the oracle says of records in arrival order; those that come before `untilMs` are history and not scored. */
export class Expectation implements Expected {
  records = 0;
  amount = 0;
  readonly live = new Map<string, { customer_id: string; vector: number[] }>();
  readonly deadLetters = new Map<string, number>();
  readonly oracle = new Oracle(view);

  take(event: OracleEvent, scored: boolean): void {
    this.records++;
    this.amount += event.amount ?? 0;
    const outcome = this.oracle.take(event);
    if (outcome === 'too late') this.dead('too_late', 1);
    if (outcome === 'accepted' && scored) this.live.set(event.event_id, { customer_id: event.customer_id, vector: this.oracle.vector(event.customer_id) });
  }

  dead(reason: string, count: number): void {
    if (count > 0) this.deadLetters.set(reason, (this.deadLetters.get(reason) ?? 0) + count);
  }

  /** A file as a replay takes it: its first share of the time range is history. */
  takeFile(records: readonly OracleEvent[], history = 0.6): void {
    const [from, to] = [records[0]!.event_time, records.at(-1)!.event_time];
    for (const event of records) this.take(event, event.event_time >= from + history * (to - from));
  }
}

export interface LandedPrediction {
  readonly prediction_id: string;
  readonly customer_id: string;
  readonly event_id: string;
  readonly score: number;
  readonly model_version: string;
  readonly values: readonly number[];
}

/** Reads what has landed and holds it against what was expected. */
export function landed(client: ClickHouseClient) {
  const names = featureNames(view);
  async function rows<T>(query: string): Promise<T[]> {
    return (await client.query({ query, format: 'JSONEachRow' })).json<T>();
  }
  const one = async (query: string): Promise<number> => Number((await rows<{ n: string }>(query))[0]!.n);
  const predictions = async (): Promise<LandedPrediction[]> =>
    (await rows<Record<string, string | number>>(`SELECT * FROM predictions ORDER BY customer_id, kafka_partition, kafka_offset`)).map((row) => ({
      prediction_id: String(row['prediction_id']), customer_id: String(row['customer_id']), event_id: String(row['event_id']),
      score: Number(row['score']), model_version: String(row['model_version']), values: names.map((name) => Number(row[name])),
    }));
  const deadLetters = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await rows<{ reason: string; n: string }>('SELECT reason, count() AS n FROM dead_letters GROUP BY reason')).map(({ reason, n }) => [reason, Number(n)]));
  return {
    rows, one, predictions,
    /** Whether there are as many rows as expected. */
    async complete(expected: Expected): Promise<boolean> {
      const dead = [...expected.deadLetters.values()].reduce((sum, count) => sum + count, 0);
      return await one('SELECT count() AS n FROM events') >= expected.records && await one('SELECT count() AS n FROM predictions') >= expected.live.size && await one('SELECT count() AS n FROM dead_letters') >= dead;
    },
    /** Everything that differs from what was expected, in words; empty where all is as it should be. */
    async differences(expected: Expected): Promise<string[]> {
      const found: string[] = [];
      const equal = (what: string, got: number, want: number): void => { if (Math.abs(got - want) > 1e-9 * Math.abs(want)) found.push(`${what}: got ${got}, want ${want}`); };
      equal('events', await one('SELECT count() AS n FROM events'), expected.records);
      equal('places in Kafka', await one('SELECT uniqExact(kafka_partition, kafka_offset) AS n FROM events'), expected.records);
      equal('money', await one('SELECT sum(amount) AS n FROM events'), expected.amount);
      equal('events by the hour', await one('SELECT sum(rows) AS n FROM event_hours'), expected.records);
      const [dead, want] = [await deadLetters(), Object.fromEntries(expected.deadLetters)];
      for (const reason of new Set([...Object.keys(dead), ...Object.keys(want)])) equal(`dead letters, ${reason}`, dead[reason] ?? 0, want[reason] ?? 0);

      const all = await predictions();
      equal('predictions', all.length, expected.live.size);
      equal('prediction ids', new Set(all.map(({ prediction_id }) => prediction_id)).size, all.length);
      equal('scored events', new Set(all.map(({ event_id }) => event_id)).size, all.length);
      for (const { event_id, customer_id, score, values } of all) {
        const wanted = expected.live.get(event_id);
        if (wanted === undefined || wanted.customer_id !== customer_id) found.push(`${event_id} of ${customer_id} was scored and should not be`);
        else {
          const differs = difference(names, values, wanted.vector);
          if (differs !== undefined) found.push(`${event_id}: ${differs}`);
        }
        if (!(score >= 0 && score <= 1)) found.push(`${event_id}: score ${score}`);
      }
      return found.slice(0, 10);
    },
  };
}
