import { cpus, totalmem } from 'node:os';

/** `npm run bench [NAME …]`: measurements on this machine, one JSON line each; docs/benchmarks.md keeps those worth quoting. */
const BENCHES: Readonly<Record<string, { what: string; run: () => Promise<unknown> }>> = {
  core: { what: 'the pure parts: update, vector, stored form, record', run: () => import('./features-core.js') },
  path: { what: 'event to prediction with every process running, paced', run: () => import('./whole-path.js') },
  landing: { what: 'rows a second into ClickHouse', run: () => import('./landing.js') },
  memory: { what: 'memory of the feature processor and the scorer, under a light load and idle, for ten minutes', run: () => import('./memory.js') },
  live: { what: '10,000 live clients of one server process, 1,000 scores a second by customer (CLIENTS, RATE, WATCHED, PHASE_S)', run: () => import('./live.js') },
  drift: { what: 'drift reports over hourly aggregates as predictions grow, and beside Evidently (EVIDENTLY_PYTHON, RAW_ROWS, RAW_TURNS, SIZES)', run: () => import('./drift.js') },
  'drift-verdicts': { what: 'false alarms of a simulated year without change, delay for planted changes, beside fixed limits (SEEDS, SHIFTS, SHIFT_SEEDS, TOGETHER_ROWS)', run: () => import('./drift-verdicts.js') },
  explain: { what: 'one explanation by the size of the model', run: () => import('./explain.js') },
  serving: { what: 'the scorer’s server beside Rust, Fastify and FastAPI, interleaved (SERVING_DIR: the built harness)', run: () => import('./serving/compare.js') },
  repeats: { what: 'POST /predict by the share of rows that come again, with scores remembered and without (SERVING_DIR: the built harness)', run: () => import('./repeats.js') },
  peers: { what: 'feature processor beside Kafka Streams, interleaved (PEERS_DIR: the built harness)', run: () => import('./peers/compare.js') },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => BENCHES[name] === undefined);
if (unknown.length > 0 || wanted.length === 0) {
  for (const [name, { what }] of Object.entries(BENCHES)) console.log(`${name.padEnd(8)} ${what}`);
  console.log(unknown.length > 0 ? `unknown: ${unknown.join(', ')}` : 'name one or more: npm run bench -- core path');
  process.exit(unknown.length > 0 ? 1 : 0);
}
console.log(JSON.stringify({ machine: { cores: cpus().length, model: cpus()[0]?.model, memory_gib: Math.round(totalmem() / 2 ** 30), node: process.version } }));
for (const name of wanted) await BENCHES[name]!.run();
process.exit(0);
