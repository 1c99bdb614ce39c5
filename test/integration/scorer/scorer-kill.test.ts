import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { latestFeatures } from '../../../scorer/features-command.js';
import { freePort } from '../../../runtime/ports.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { onlineStoreFolder } from '../../../scorer/store/folder.js';
import { Child } from '../../support/child.js';
import { seeded } from '../../support/random.js';
import { until } from '../../support/wait.js';
import { CUSTOMERS, startScoringCluster } from '../../support/scoring-cluster.js';

const SEED = 17;
const KILLS = 4;
t.comment(`seed ${SEED}`);
t.setTimeout(400_000);

const cluster = await startScoringCluster(t, { partitions: 2, settings: { KAFKA_SESSION_TIMEOUT_MS: '6000', BATCH_ROWS_MAX: '100' } });
const { settings, predictions } = cluster;
const random = seeded(SEED);
const child = new Child('scorer-process.js', cluster.env);
t.teardown(() => child.kill());

let flowing = true;
async function flow(): Promise<void> {
  for (; flowing; await sleep(40)) await cluster.publishFeatures(1 + random.below(40));
}

t.test('killed at random moments while records flow and models are swapped: each record is predicted once, the store is complete', async (t) => {
  await cluster.publishModel('m0', 1);
  const flowed = flow();
  for (let kill = 1; kill <= KILLS; kill++) {
    child.start();
    const scored = (await predictions()).length;
    await until('the scorer works', async () => (await predictions()).length > scored);
    await sleep(random() * 500);
    if (kill % 2 === 0) await cluster.publishModel(`m${kill}`, kill + 1);
    await sleep(random() * 300);
    await child.kill();
    t.comment(`kill -9 number ${kill} at ${cluster.published} records`);
  }
  flowing = false;
  await flowed;
  child.start();
  await until('all predictions', async () => (await predictions()).length >= cluster.published, 90_000).catch((error: unknown) => t.comment(String(error)));
  await sleep(1000); // what came twice would come now

  const all = await predictions();
  t.strictSame(cluster.complaints(all), []);
  t.strictSame(child.died, [], 'it never ended by itself');

  await child.kill();
  const latest = new Map(all.map((prediction) => [prediction.customer_id, prediction]));
  child.start();
  const url = `http://127.0.0.1:${settings.SCORER_PORT}`;
  await until('it is up again', async () => ((await fetch(`${url}/health`).then((res) => res.json() as Promise<{ status: string }>).catch(() => undefined))?.status === 'up'));
  let stale = 0;
  for (const [customer, { prediction_id }] of latest) if ((await latestFeatures(settings, customer)).customer['prediction_id'] !== prediction_id) stale++;
  t.equal(stale, 0, 'killed once more: every customer’s latest is in the store');
  await child.stop();
});

t.test('a second scorer on the same data folder has its own name, port and store, and a share of the partitions', async (t) => {
  const port = await freePort();
  const second = new Child('scorer-process.js', { ...cluster.env, INSTANCE: '1', SCORER_PORT: String(port) });
  t.teardown(() => second.kill());
  child.start();
  second.start();
  const known = async (at: number): Promise<string[]> => {
    const answers = await Promise.all(Array.from({ length: CUSTOMERS }, async (_, n) => {
      const answer = await fetch(`http://127.0.0.1:${at}/customers/C${n}`).then((res) => res.json() as Promise<{ live?: boolean }>).catch(() => ({ live: false }));
      return answer.live === true ? [`C${n}`] : [];
    }));
    return answers.flat();
  };
  await until('each has its half', async () => (await known(port)).length === CUSTOMERS / 2 && (await known(settings.SCORER_PORT)).length === CUSTOMERS / 2);
  await cluster.publishFeatures(400);
  await until('all predictions', async () => (await predictions()).length >= cluster.published);
  t.strictSame(cluster.complaints(await predictions()), []);
  const halves = [await known(port), await known(settings.SCORER_PORT)];
  t.equal(new Set(halves.flat()).size, CUSTOMERS, 'each customer is live on one of them');
  await Promise.all([child.stop(), second.stop()]);
  t.ok(existsSync(onlineStoreFolder({ ...settings, INSTANCE: '1' }, view)));
  const customer = halves[0]![0]!;
  t.equal((await latestFeatures({ ...settings, INSTANCE: '1' }, customer)).customer['customer_id'], customer, 'its store answers under its name');
});
