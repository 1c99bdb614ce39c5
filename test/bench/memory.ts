import { readFileSync } from 'node:fs';
import { createKafka } from '../../runtime/kafka/client.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { publishModel } from '../../runtime/models/publish.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { freePort } from '../../runtime/ports.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { TOPICS } from '../../schemas/topics.js';
import { Child } from '../support/child.js';
import { startCluster, testLog } from '../support/cluster.js';
import { logisticModel } from '../support/onnx.js';

/**
 * Memory of the feature processor and the scorer over time: first a burst (FILL events of CUSTOMERS customers), then MINUTES
 * at RATE events a second, then MINUTES without any. A line every ten seconds, and for each phase its beginning and its end.
 */
const MINUTES = Number(process.env['MINUTES'] ?? 5);
const RATE = Number(process.env['RATE'] ?? 20);
const FILL = Number(process.env['FILL'] ?? 200_000);
const CUSTOMERS = Number(process.env['CUSTOMERS'] ?? 50_000);
const PARTITIONS = 4;
const SAMPLE_MS = 10_000;
const MIB = 1024 * 1024;

const ends: (() => Promise<void>)[] = [];
const cluster = await startCluster({ teardown: (end: () => Promise<void>) => ends.push(end) }, { kafka: true, registry: true, partitions: PARTITIONS });
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Sample = { phase: string; at_s: number } & Record<string, number | string>;
const samples: Sample[] = [];

/** Resident memory by kind, MiB: `file` is what LMDB maps, which the system takes back when it needs it. */
function resident(pid: number): { rss: number; anonymous: number; file: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024);
  return { rss: of('VmRSS'), anonymous: of('RssAnon'), file: of('RssFile') };
}

async function heap(port: number): Promise<{ heap: number; external: number }> {
  const text = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } }).then((answer) => answer.text());
  const of = (name: string): number => Math.round(Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0) / MIB);
  return { heap: of('nodejs_heap_size_used_bytes'), external: of('nodejs_external_memory_bytes') };
}

try {
  const { settings } = cluster;
  const kafka = createKafka(settings, testLog);
  await ensureTopics(kafka, settings, Object.values(TOPICS));
  const { manifest, onnx } = logisticModel(customerActivity, '20260101T000000Z-bench', 1, { stage: 'champion' });
  await publishModel(createKafka(settings, testLog, 'transactional'), createManifestCodec(createRegistry(settings, testLog)), manifest, onnx);
  const ports = { features: await freePort(), scorer: await freePort() };
  const env = { ...cluster.env, FEATURES_METRICS_PORT: String(ports.features), SCORER_PORT: String(ports.scorer) };
  const children = { features: new Child('features-process.js', env), scorer: new Child('scorer-process.js', env) };
  ends.push(async () => { await Promise.all(Object.values(children).map((child) => child.stop())); });
  for (const child of Object.values(children)) child.start();
  const producer = kafka.producer();
  await producer.connect();
  ends.push(() => producer.disconnect());

  const startedAt = Date.now();
  const types = ['page_view', 'page_view', 'add_to_cart', 'purchase', 'login'];
  let n = 0;
  const publish = async (count: number): Promise<void> => {
    const messages = Array.from({ length: count }, () => {
      const customer = `C${(n * 7919) % CUSTOMERS}`;
      return {
        partition: partitionOf(customer, PARTITIONS), key: customer,
        value: JSON.stringify({ event_id: `e${n}`, customer_id: customer, event_type: types[n++ % types.length], amount: n % 5 === 3 ? 20 + (n % 50) : null, quantity: null, channel: 'web', event_time: Date.now(), properties: {} }),
      };
    });
    await producer.send({ topic: TOPICS.events.name, messages });
  };
  const sample = async (phase: string): Promise<void> => {
    const line: Sample = { phase, at_s: Math.round((Date.now() - startedAt) / 1000) };
    for (const [name, child] of Object.entries(children))
      for (const [what, value] of Object.entries({ ...resident(child.pid!), ...(await heap(ports[name as keyof typeof ports])) })) line[`${name}_${what}_mib`] = value;
    samples.push(line);
    console.log(JSON.stringify(line));
  };
  const phase = async (name: string, ms: number, tick: () => Promise<void>): Promise<void> => {
    let nextSample = Date.now();
    for (const until = Date.now() + ms; Date.now() < until; ) {
      if (Date.now() >= nextSample) {
        await sample(name);
        nextSample += SAMPLE_MS;
      }
      await tick();
    }
  };

  await sleep(8000);
  await sample('started');
  while (n < FILL) await publish(2000);
  await phase('light', MINUTES * 60_000, async () => { await publish(Math.max(1, Math.round(RATE / 4))); await sleep(250); });
  await phase('idle', MINUTES * 60_000, () => sleep(500));
  for (const name of ['light', 'idle']) {
    const all = samples.filter((line) => line.phase === name);
    const median = (lines: Sample[], key: string): number => lines.map((line) => Number(line[key])).sort((a, b) => a - b)[lines.length >> 1] ?? NaN;
    const edge = Math.max(1, Math.floor(all.length / 5));
    const keys = Object.keys(all[0] ?? {}).filter((key) => key.endsWith('_mib'));
    console.log(JSON.stringify({ bench: 'memory', phase: name, minutes: MINUTES, rate: name === 'light' ? RATE : 0, customers: CUSTOMERS, ...Object.fromEntries(keys.map((key) => [key, [median(all.slice(0, edge), key), median(all.slice(-edge), key)]])) }));
  }
} finally {
  for (const end of ends.reverse()) await end();
}
