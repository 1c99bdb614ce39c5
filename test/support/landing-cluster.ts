import { migrate } from '../../clickhouse/migrate.js';
import { createClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../../runtime/embedded/clickhouse/start.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { kafkajs, type Kafka, type Producer } from '../../runtime/kafka/kafkajs.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { freePort } from '../../runtime/ports.js';
import { TOPICS } from '../../schemas/topics.js';
import { startCluster, testLog, type Cluster } from './cluster.js';

/** A broker, a registry, a migrated ClickHouse that can be ended and comes back on its port, and a producer. */
export interface LandingCluster extends Cluster {
  readonly client: ClickHouseClient;
  readonly kafka: Kafka;
  readonly producer: Producer;
  rows<T>(query: string): Promise<T[]>;
  readonly clickhouse: {
    stop(): Promise<void>;
    /** SIGKILL, and waits until it is gone. */
    kill(): Promise<void>;
    start(): Promise<void>;
  };
}

export async function startLandingCluster(t: { teardown(end: () => Promise<unknown>): unknown }, options: { partitions: number; batchRows: number }): Promise<LandingCluster> {
  const port = await freePort();
  const cluster = await startCluster(t, {
    kafka: true, registry: true, partitions: options.partitions,
    settings: { CLICKHOUSE_URL: `http://127.0.0.1:${port}`, KAFKA_SESSION_TIMEOUT_MS: '6000', LANDING_FLUSH_MS: '100', LANDING_BATCH_ROWS: String(options.batchRows) },
  });
  const { settings, dataDir } = cluster;
  const startServer = (): Promise<EmbeddedClickHouse> => startEmbeddedClickHouse({ dataDir, port, log: testLog });
  let server = await startServer();
  t.teardown(() => server.stop());
  const client = createClickHouse(settings);
  t.teardown(() => client.close());
  await migrate(client, settings);
  const kafka = createKafka(settings, testLog);
  await ensureTopics(kafka, settings, Object.values(TOPICS));
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  t.teardown(() => producer.disconnect());
  return {
    ...cluster, client, kafka, producer,
    rows: async <T>(query: string) => (await client.query({ query, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<T>(),
    clickhouse: {
      stop: () => server.stop(),
      async kill() {
        process.kill(server.pid, 'SIGKILL');
        await server.exited;
      },
      async start() { server = await startServer(); },
    },
  };
}
