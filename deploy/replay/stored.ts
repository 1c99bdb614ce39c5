import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Trigger } from '../../schemas/features/derive.js';

/** A landed prediction. Times are epoch milliseconds. */
export interface StoredPrediction {
  readonly prediction_id: string;
  readonly customer_id: string;
  readonly event_id: string;
  readonly event_time: number;
  readonly produced_at: number;
  readonly score: number;
  readonly decision: string;
  readonly model_version: string;
  readonly view_version: number;
  readonly trigger: Trigger;
  readonly degraded: boolean;
  /** What scored it; empty where nothing recorded it. */
  readonly runtime: string;
  /** By feature, bit for bit; of features that the table has columns for. */
  readonly values: ReadonlyMap<string, number>;
}

/** Where the features record stands that was scored: partition of customer-features (and of customer-events), offset. */
export function placeOf(prediction_id: string): { readonly partition: number; readonly offset: number } {
  const [, partition, offset] = /^(\d{1,9})-(\d{1,15})$/.exec(prediction_id) ?? [];
  if (partition === undefined || offset === undefined)
    throw new TidemarkError('INPUT_INVALID', `prediction id: got ${JSON.stringify(prediction_id.slice(0, 100))}, expected PARTITION-OFFSET, as prediction_id in table predictions`);
  return { partition: Number(partition), offset: Number(offset) };
}

type Row = Readonly<Record<string, string | number>>;

/**
 * One row of `predictions` with its doubles bit for bit.
 * @throws TidemarkError NOT_FOUND
 */
export async function readPrediction(client: ClickHouseClient, prediction_id: string): Promise<StoredPrediction> {
  const columns = await rows<{ name: string }>(client,
    "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'predictions' AND type = 'Float64' AND name != 'score' ORDER BY position", {});
  const names = columns.map(({ name }) => name);
  const [row] = await rows<Row & { bits: readonly string[] }>(client, `
    SELECT prediction_id, customer_id, event_id, decision, model_version, view_version, toString(trigger) AS trigger, toUInt8(degraded) AS degraded, runtime,
      toUnixTimestamp64Milli(event_time) AS event_time_ms, toUnixTimestamp64Milli(produced_at) AS produced_at_ms, reinterpretAsUInt64(score) AS score_bits,
      [${names.map((name) => `reinterpretAsUInt64(\`${name}\`)`).join(', ')}] AS bits
    FROM predictions WHERE prediction_id = {id:String} ORDER BY kafka_offset LIMIT 1`, { id: prediction_id });
  if (row === undefined) throw new TidemarkError('NOT_FOUND', `prediction ${prediction_id} is not in table predictions: it has not landed, or was deleted after PREDICTIONS_TTL_DAYS`);
  return {
    prediction_id,
    customer_id: String(row['customer_id']), event_id: String(row['event_id']), decision: String(row['decision']), model_version: String(row['model_version']),
    view_version: Number(row['view_version']), trigger: row['trigger'] as Trigger, degraded: Number(row['degraded']) === 1, runtime: String(row['runtime']),
    event_time: Number(row['event_time_ms']), produced_at: Number(row['produced_at_ms']), score: doubleOf(String(row['score_bits'])),
    values: new Map(names.map((name, i) => [name, doubleOf(row.bits[i]!)])),
  };
}

/** An event as it landed, in the reducer's terms: NaN for no amount, no quantity. */
export interface LandedEvent {
  readonly event_id: string;
  readonly type_code: number;
  readonly amount: number;
  readonly quantity: number;
  readonly event_time: number;
  readonly kafka_offset: number;
  /** When the broker appended it. */
  readonly kafka_time: number;
}

/** A customer's landed events on a partition in the order of their arrival, as they are read. */
export async function* readEvents(client: ClickHouseClient, customer_id: string, partition: number): AsyncGenerator<LandedEvent> {
  const answer = await client.query({
    query: `
      SELECT event_id, toInt8(event_type), reinterpretAsUInt64(ifNull(amount, nan)), ifNull(toFloat64(quantity), nan),
        toUnixTimestamp64Milli(event_time), kafka_offset, toUnixTimestamp64Milli(kafka_time)
      FROM events WHERE customer_id = {customer_id:String} AND kafka_partition = {partition:Int32} ORDER BY kafka_offset`,
    query_params: { customer_id, partition }, format: 'JSONCompactEachRow',
  });
  for await (const batch of answer.stream<[string, number, string, number | string, string, string, string]>())
    for (const row of batch) {
      const [event_id, type_code, amount, quantity, time, offset, appended] = row.json();
      yield { event_id, type_code, amount: doubleOf(amount), quantity: Number(quantity), event_time: Number(time), kafka_offset: Number(offset), kafka_time: Number(appended) };
    }
}

/** The customer's latest prediction before this one that an event gave: a sweep after it saw at least that event. */
export async function readEventBefore(client: ClickHouseClient, { customer_id, prediction_id }: StoredPrediction): Promise<{ event_id: string; produced_at: number } | undefined> {
  const { partition, offset } = placeOf(prediction_id);
  const place = "arrayMap(part -> toUInt64OrZero(part), splitByChar('-', prediction_id))";
  const [row] = await rows<{ event_id: string; produced_at_ms: string }>(client, `
    SELECT event_id, toUnixTimestamp64Milli(produced_at) AS produced_at_ms FROM predictions
    WHERE customer_id = {customer_id:String} AND trigger = 'event' AND ${place}[1] = {partition:UInt64} AND ${place}[2] < {offset:UInt64}
    ORDER BY ${place}[2] DESC LIMIT 1`, { customer_id, partition, offset });
  return row === undefined ? undefined : { event_id: row.event_id, produced_at: Number(row.produced_at_ms) };
}

async function rows<T>(client: ClickHouseClient, query: string, query_params: Record<string, string | number>): Promise<T[]> {
  return (await client.query({ query, query_params, format: 'JSONEachRow' })).json<T>();
}

const scratch = new DataView(new ArrayBuffer(8));
function doubleOf(bits: string): number {
  scratch.setBigUint64(0, BigInt(bits));
  return scratch.getFloat64(0);
}
