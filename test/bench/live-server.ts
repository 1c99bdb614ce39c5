import { seeded } from '../support/random.js';
import { scored, startTestScorer, type TestScorer } from '../support/scorer.js';

/** The server of the bench `live`: a scorer's own server, hub and store, with committed scores from a timer in place of Kafka's. */
export type ServerTask = { do: 'listen'; clients: number; customers: number } | { do: 'publish'; rate: number; seconds: number };
/** @property lateMs 99th percentile of how late a batch was handed over, ms */
export interface ServerReport { readonly sent: number; readonly committed: number; readonly lateMs: number }

const BATCH_MS = 10;
const random = seeded(1);
const ends: (() => Promise<void>)[] = [];
let scorer: TestScorer | undefined;
let customers = 0;
let n = 0;

const score = (): ReturnType<typeof scored> => scored(`C${random.below(customers)}`, ++n, random(), undefined, 0, { event_id: process.hrtime.bigint().toString() });

async function publish(rate: number, seconds: number): Promise<ServerReport> {
  const { live: { hub }, commit } = scorer!;
  const sentBefore = hub.counts.sent;
  const before = n;
  const late: number[] = [];
  const startedAt = performance.now();
  for (let batch = 1; batch * BATCH_MS <= seconds * 1000; batch++) {
    const due = startedAt + batch * BATCH_MS;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    late.push(performance.now() - due);
    commit(Array.from({ length: Math.round((rate * BATCH_MS) / 1000) }, score));
  }
  late.sort((a, b) => a - b);
  return { sent: hub.counts.sent - sentBefore, committed: n - before, lateMs: Number(late[Math.floor(late.length * 0.99)]!.toFixed(1)) };
}

process.on('message', (task: ServerTask) => void (async () => {
  if (task.do === 'publish') return process.send!(await publish(task.rate, task.seconds));
  customers = task.customers;
  scorer = await startTestScorer({ teardown: (end) => ends.push(end) }, { liveSettings: { LIVE_CLIENTS_MAX: task.clients, LIVE_CLIENTS_PER_CALLER_MAX: task.clients } });
  return process.send!({ port: scorer.port });
})());
process.on('SIGTERM', () => void Promise.all(ends.map((end) => end())).then(() => process.exit(0)));
process.on('disconnect', () => process.exit(1));
