import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { createKafka } from '../../runtime/kafka/client.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { createEventDecoder, isRejection, UNPREPARED } from '../../runtime/events/event-decoder.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import type { CustomerEvent } from '../../schemas/events/customer-event.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { openReplay } from '../../stream-processors/sources/replay/replay.js';
import { openSimulation } from '../../stream-processors/sources/simulation.js';
import { Simulator } from '../../stream-processors/sources/core/simulator.js';
import { startCluster, testLog } from '../support/cluster.js';
import { seeded, seedOf } from '../support/random.js';

const DAY = 86_400_000;
const FROM = Date.UTC(2024, 0, 1);

/** Rows in no order, two of them bad, half of them without an id. */
function makeRows(seed: number, count: number): { rows: Record<string, unknown>[]; bad: number } {
  const random = seeded(seed);
  const rows: Record<string, unknown>[] = [];
  for (let i = 0; i < count; i++)
    rows.push({
      ...(i % 2 === 0 ? { event_id: `e${i}` } : {}), customer_id: `K${random.below(40)}`, event_type: 'purchase', amount: random.below(10_000) / 100,
      quantity: 1 + random.below(5), channel: 'web', event_time: new Date(FROM + Math.floor(random() * 100 * DAY)).toISOString(),
    });
  rows[10] = { ...rows[10], amount: 'twelve' };
  rows[11] = { ...rows[11], event_type: 'teleport' };
  return { rows, bad: 2 };
}

interface Landed { event: CustomerEvent | undefined; text: string; partition: number }

/** @param customers how their ids begin; records that are no events are anyone's */
async function readEvents(settings: Settings, customers = 'K'): Promise<Landed[]> {
  const decoder = createEventDecoder(new AvroTypes(createRegistry(settings, testLog), subjectOf(TOPICS.events.name)), DAY);
  const all: Landed[] = [];
  await readTopic(createKafka(settings, testLog), TOPICS.events.name, async (partition, records) => {
    for (const { value, timestamp } of records) {
      await decoder.prepare(value!);
      const event = decoder.decodeFull(value, timestamp);
      if (event === UNPREPARED) throw new Error('unprepared');
      if (!isRejection(event) && !event.customer_id.startsWith(customers)) continue;
      all.push({ event: isRejection(event) ? undefined : event, text: value!.toString('utf8'), partition });
    }
  });
  return all;
}

t.setTimeout(400_000);
t.test('files and simulated customers through the topic', async (t) => {
  const cluster = await startCluster(t, { kafka: true, registry: true, partitions: 3 });
  const { settings } = cluster;
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-replay-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await ensureTopics(createKafka(settings, testLog), settings, [TOPICS.events]);
  const seed = seedOf(7);
  t.comment(`seed ${seed}`);
  const { rows, bad } = makeRows(seed, 3000);
  const file = join(folder, 'events.ndjson.gz');
  await writeFile(file, gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')));

  await t.test('history and the rest, in event-time order, every row once, bad ones as they were', async (t) => {
    const replay = await openReplay({ file, history: 0.6 }, settings, testLog);
    t.equal(replay.scan.events, rows.length - bad);
    t.equal(replay.scan.bad_rows, bad);
    t.match(replay.scan.bad_examples[0], { line: 11, problem: /amount/ });
    t.notOk(replay.scan.sorted);
    const history = await replay.history();
    t.notOk(history.ended);
    const first = await readEvents(settings);
    const until = replay.scan.from_ms + 0.6 * (replay.scan.to_ms - replay.scan.from_ms);
    t.ok(first.every(({ event }) => event === undefined || event.event_time < until), 'nothing beyond the history');
    t.equal(first.length, history.published);
    const live = await replay.live();
    t.ok(live.ended);
    await replay.stop();

    const all = await readEvents(settings);
    t.equal(all.length, rows.length);
    for (let partition = 0; partition < 3; partition++) {
      const times = all.filter((one) => one.partition === partition && one.event !== undefined).map(({ event }) => event!.event_time);
      t.ok(times.every((time, i) => i === 0 || time >= times[i - 1]!), `partition ${partition} in event-time order`);
    }
    t.ok(all.every(({ event, partition }) => event === undefined || partitionOf(event.customer_id, 3) === partition));
    t.equal(new Set(all.map(({ event, text }) => event?.event_id ?? text)).size, rows.length, 'ids are distinct');
    t.same(all.filter(({ event }) => event === undefined).map(({ text }) => text).sort(), [rows[10], rows[11]].map((row) => JSON.stringify(row)).sort());
  });

  await t.test('a second start publishes nothing again', async (t) => {
    const replay = await openReplay({ file, history: 0.6 }, settings, testLog);
    t.equal((await replay.history()).published, 0);
    t.match(await replay.live(), { published: 0, ended: true });
    await replay.stop();
    t.equal((await readEvents(settings)).length, rows.length);
  });

  await t.test('a simulation goes on where it stood, without a gap or a repetition, though its last position was lost', async (t) => {
    const options = { parameters: { seed, customers: 50, new_customers_per_day: 1 }, historyDays: 60, rate: 2000 };
    const one = await openSimulation(options, settings, testLog);
    await one.history();
    const stateFile = join(settings.DATA_DIR, 'sources', 'simulation.json');
    const before = await readFile(stateFile);
    void one.live();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await one.stop();
    await writeFile(stateFile, before); // as if it had been killed before it wrote down what was acknowledged
    const two = await openSimulation(options, settings, testLog);
    await two.history();
    void two.live();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await two.stop();

    const got = (await readEvents(settings, 'C')).flatMap(({ event }) => (event === undefined ? [] : [event.event_id])).sort();
    const simulator = new Simulator(two.parameters);
    const expected = Array.from({ length: got.length }, () => simulator.next()!.event_id).sort();
    t.ok(got.length > 1000, `${got.length} events`);
    t.same(got, expected);
  });
});
