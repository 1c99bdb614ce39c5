import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import { createEventDecoder, isRejection, UNPREPARED } from '../../runtime/events/event-decoder.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { testLog } from './cluster.js';

/** Landing as a process that can be killed, stopped and started again. */
export interface LandingProcess {
  readonly child: ChildProcess;
  /** Ends it at once and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends it in order. @returns its exit status */
  stop(): Promise<number | null>;
}

export function startLandingProcess(env: Readonly<Record<string, string>>, instance = '0', port?: number): LandingProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL('landing-process.js', import.meta.url))], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'error', ...env, INSTANCE: instance, ...(port === undefined ? {} : { LANDING_METRICS_PORT: String(port) }) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'], // with the channel it ends when the test does
  });
  child.stdout?.resume();
  const gone = once(child, 'exit');
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await gone;
  };
  return {
    child,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      return child.exitCode;
    },
  };
}

/** An event as a row says it, with the place it came from; one line, so that sets of them compare quickly. */
type Line = string;

/** What the table must hold: every valid event of the topic that stands on its customer's partition, read from Kafka. */
export async function expectedEvents(settings: Settings, partitions: number): Promise<Line[]> {
  const decoder = createEventDecoder(new AvroTypes(createRegistry(settings, testLog), subjectOf(TOPICS.events.name)), settings.EVENT_TIME_MAX_AHEAD_S * 1000);
  const lines: Line[] = [];
  await readTopic(createKafka(settings, testLog), TOPICS.events.name, async (partition, records) => {
    for (const { value, offset, timestamp } of records) {
      if (value !== null) await decoder.prepare(value);
      const event = decoder.decodeFull(value, timestamp);
      if (event === UNPREPARED || isRejection(event) || partitionOf(event.customer_id, partitions) !== partition) continue;
      lines.push(JSON.stringify([partition, offset, timestamp, event.event_id, event.customer_id, event.event_type, event.amount, event.quantity, event.channel, event.event_time, event.properties]));
    }
  });
  return lines.sort();
}

export async function landedEvents(client: ClickHouseClient): Promise<Line[]> {
  const result = await client.query({
    query: `SELECT kafka_partition, kafka_offset, toUnixTimestamp64Milli(kafka_time), event_id, customer_id, event_type, amount, quantity, channel, toUnixTimestamp64Milli(event_time), properties FROM events`,
    format: 'JSONCompactEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const lines: Line[] = [];
  for await (const rows of result.stream()) for (const row of rows) lines.push(JSON.stringify(row.json()));
  return lines.sort();
}

export async function countEvents(client: ClickHouseClient): Promise<number> {
  const result = await client.query({ query: 'SELECT count() AS c FROM events', format: 'JSONEachRow' });
  return Number((await result.json<{ c: string }>())[0]!.c);
}

/** Rows that are there and should not be, and the other way round, a few of each. */
export function differenceOf(got: readonly Line[], want: readonly Line[]): { count: [number, number]; extra: Line[]; missing: Line[] } | undefined {
  const left = new Map<Line, number>();
  for (const line of want) left.set(line, (left.get(line) ?? 0) + 1);
  const extra: Line[] = [];
  for (const line of got) {
    const count = left.get(line) ?? 0;
    if (count === 0) extra.push(line);
    else left.set(line, count - 1);
  }
  const missing = [...left].filter(([, count]) => count > 0).map(([line]) => line);
  return extra.length + missing.length === 0 ? undefined : { count: [got.length, want.length], extra: extra.slice(0, 5), missing: missing.slice(0, 5) };
}

export async function waitFor(what: string, holds: () => Promise<boolean>, deadlineMs: number): Promise<void> {
  for (const until = Date.now() + deadlineMs; ; ) {
    if (await holds().catch(() => false)) return;
    if (Date.now() > until) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const openClickHouse = (settings: Settings): ClickHouseClient => createClickHouse(settings);
