import t from 'tap';
import { TidemarkError } from '../../../runtime/errors.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { FetchedBatch } from '../../../runtime/kafka/wire/fetched-batch.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { seeded } from '../../support/random.js';
import { caughtUp, complaint, createRelayTopics, relayed, sendNumbers, startRelay } from '../../support/relay.js';
import { until } from '../../support/wait.js';

const PARTITIONS = 2;
const SEED = 17;
t.comment(`seed ${SEED}`);
const { settings } = await startCluster(t, { kafka: true, partitions: PARTITIONS, settings: { KAFKA_SESSION_TIMEOUT_MS: '6000', BATCH_ROWS_MAX: '200' } });
const kafka = createKafka(settings, testLog);
await createRelayTopics(kafka, PARTITIONS);
let sent = 0;
const send = async (count: number): Promise<void> => {
  await sendNumbers(kafka, sent, count, PARTITIONS);
  sent += count;
};
const refused = (): never => { throw new TidemarkError('TRANSACTION_FAILED', 'refused by the test'); };

/** Batches that kafkajs has handed over, by partition: it asks each of them this first. */
const handed = new Map<number, number>();
const { isEmptyDueToFiltering } = FetchedBatch.prototype;
FetchedBatch.prototype.isEmptyDueToFiltering = function (this: FetchedBatch): boolean {
  handed.set(this.partition, (handed.get(this.partition) ?? 0) + 1);
  return isEmptyDueToFiltering.call(this);
};

t.test('a partition that opens anew after a rollback is not fetched until it is ready; the other goes on', async (t) => {
  let refusals = 1;
  let reopening = false;
  let openings = 0;
  const relay = await startRelay({ ...settings, FETCH_PACE_MS: 0 }, {
    partitions: PARTITIONS,
    onProcess(records) {
      if (records.some(({ key }) => Number(key!.toString()) % PARTITIONS === 0) && refusals-- > 0) refused();
    },
    async onOpen(partition) {
      if (partition !== 0 || openings++ === 0) return;
      reopening = true;
      handed.clear();
      await send(1000); // both partitions have something to fetch meanwhile
      await new Promise((resolve) => setTimeout(resolve, 1500));
      reopening = false;
    },
  });
  await send(2000);
  await until('the rollback', () => reopening);
  await until('it is open again', () => !reopening);
  t.ok((handed.get(0) ?? 0) <= 4, `partition 0 was fetched ${handed.get(0) ?? 0} times while it could take nothing`);
  t.ok((handed.get(1) ?? 0) > 0, 'partition 1 was');
  await until('all relayed', () => caughtUp(kafka, sent));
  t.equal(complaint(await relayed(kafka), sent), undefined);
  t.same(relay.failures, []);
  await relay.stop();
});

t.test('rollbacks at random moments, while a second process comes and goes: everything once, nothing stands still', async (t) => {
  const random = seeded(SEED);
  const options = {
    partitions: PARTITIONS,
    onProcess() { if (random() < 0.15) refused(); },
    onOpen: () => new Promise<void>((resolve) => { setTimeout(resolve, random() * 200); }),
  };
  const first = await startRelay(settings, options);
  let flowing = true;
  const flow = (async () => {
    for (let i = 0; i < 40; i++) {
      await send(100);
      await new Promise((resolve) => setTimeout(resolve, random() * 150));
    }
    flowing = false;
  })();
  while (flowing) {
    const second = await startRelay({ ...settings, INSTANCE: 'second' }, options);
    await new Promise((resolve) => setTimeout(resolve, 500 + random() * 1500));
    await second.stop();
    t.same(second.failures, []);
  }
  await flow;
  await until('all relayed', () => caughtUp(kafka, sent), 60_000);
  t.equal(complaint(await relayed(kafka), sent), undefined);
  t.same(first.failures, []);
  await first.stop();
});
