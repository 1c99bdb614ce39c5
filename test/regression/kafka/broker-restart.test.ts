import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startEmbeddedKafka, type EmbeddedKafka } from '../../../runtime/embedded/kafka.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { freePort } from '../../../runtime/ports.js';
import { loadSettings } from '../../../runtime/settings.js';
import { TEST_JARS_DIR, testLog } from '../../support/cluster.js';
import { caughtUp, createRelayTopics, relayed, sendNumbers, startRelay } from '../../support/relay.js';
import { until } from '../../support/wait.js';

const PARTITIONS = 2;
const ROUNDS = 30;
t.setTimeout(400_000);

t.test('the broker stops and comes back, once in order and once killed, while records flow: everything once', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tidemark-broker-'));
  const port = await freePort();
  const start = (): Promise<EmbeddedKafka> => startEmbeddedKafka({ dataDir, port, log: testLog, jarsDir: TEST_JARS_DIR });
  let broker = await start();
  t.teardown(async () => {
    await broker.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const settings = loadSettings({ KAFKA_BROKERS: broker.brokers, DATA_DIR: dataDir, KAFKA_SESSION_TIMEOUT_MS: '6000', BATCH_ROWS_MAX: '200' });
  const kafka = createKafka(settings, testLog);
  await createRelayTopics(kafka, PARTITIONS);
  // kafkajs gives up on some answers of a starting broker: the process then ends, and its supervisor starts the next one.
  let relay = await startRelay(settings, { partitions: PARTITIONS });
  const supervisor = setInterval(() => {
    if (relay.failures.length === 0) return;
    t.comment(`started again after: ${String(relay.failures.splice(0)[0])}`);
    void relay.stop().then(async () => { relay = await startRelay(settings, { partitions: PARTITIONS }); }).catch((error: unknown) => relay.failures.push(error));
  }, 500);
  t.teardown(() => clearInterval(supervisor));
  const flow = (async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await sendNumbers(kafka, round * 400, 400, PARTITIONS); // waits out the broker's absence
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await broker.stop();
  broker = await start();
  await new Promise((resolve) => setTimeout(resolve, 4000));
  process.kill(broker.pid, 'SIGKILL');
  await broker.exited;
  broker = await start();
  await flow;
  await until('all relayed', () => caughtUp(kafka, ROUNDS * 400), 90_000);
  const numbers = await relayed(kafka);
  t.equal(new Set(numbers).size, ROUNDS * 400, 'nothing is lost');
  // The producer of the test is not idempotent over its own retries, so a number may stand on the input twice; each of those once.
  const input = await relayed(kafka, 'relay-in');
  t.equal(firstDifference(numbers, input), undefined, 'what stands on the input stands on the output, as often');
  clearInterval(supervisor);
  await relay.stop();
});

/** The first number that does not stand as often in one list as in the other. */
function firstDifference(got: readonly number[], want: readonly number[]): string | undefined {
  const counts = new Map<number, number>();
  for (const n of want) counts.set(n, (counts.get(n) ?? 0) + 1);
  for (const n of got) counts.set(n, (counts.get(n) ?? 0) - 1);
  const wrong = [...counts].filter(([, count]) => count !== 0);
  return wrong.length === 0 ? undefined : `${wrong.length} numbers, first ${wrong[0]![0]}: ${-wrong[0]![1]} too many (${got.length} of ${want.length})`;
}
