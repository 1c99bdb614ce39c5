import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SCORER_NODE_FLAGS } from '../../../deploy/up/start.js';
import { SETTINGS } from '../../../runtime/settings.js';
import { cpuSecondsOf } from '../cpu.js';

/**
 * One scorer process beside a Rust server, Fastify and FastAPI with the same model, all up at once and asked in turns: single rows at 32 connections,
 * single rows at a fixed rate (open loop: latency from when a request was due), batches of 100 rows.
 * SERVING_DIR: the built harness. PEERS, ROUNDS, SECS, RATE, ONLY (single, rate, batch), BULK_THREADS; NODE_FLAGS in place of those that a scorer is started with.
 * `tidemark` scores every row anew, as the peers do; `tidemark-remembering` has SCORER_CACHE_ROWS as it is shipped, and all of the harness’ 10,000 rows come around;
 * `uws-const`, uWebSockets.js that answers a constant, says what a fixed rate costs without any work.
 * PIN=1 (server and load each on a core of its own, as if the load came from elsewhere: left alone, the kernel puts both on one core while they fit there).
 */
const dir = process.env['SERVING_DIR'] ?? '';
if (!existsSync(join(dir, 'bench.py'))) throw new Error('SERVING_DIR names no harness of serving peers');
const names = (process.env['PEERS'] ?? 'tidemark rust-1 fastify fastapi-1').split(' ');
const rounds = Number(process.env['ROUNDS'] ?? 3);
const secs = Number(process.env['SECS'] ?? 5);
const rate = Number(process.env['RATE'] ?? 5000);
const only = process.env['ONLY']?.split(' ');
const pin = process.env['PIN'] === '1';
const CONNECTIONS = 32;
/** Lone requests take other ways through a server than those that come at full speed: what is measured is one that has seen them. */
const RATE_WARM_UP_S = 4;
/** Before each turn: a server's code and memory are cold after the others'. */
const TURN_WARM_UP_S = 1;
const FIRST_PORT = 18_100;
const nodeFlags = process.env['NODE_FLAGS']?.split(' ').filter((flag) => flag !== '') ?? SCORER_NODE_FLAGS;
const run = promisify(execFile);

interface Figures { rps?: number; cpu_us?: number; p99_ms_at_rate?: number; p50_ms_at_rate?: number; done_at_rate?: number; cpu_us_at_rate?: number; rows_per_s?: number; cpu_us_a_row?: number; errors: number }

const bodies = (file: string): string[] => readFileSync(join(dir, 'bodies', file), 'utf8').split('\n').filter((line) => line !== '');
const reference = JSON.parse(readFileSync(join(dir, 'ref.json'), 'utf8')) as number[];

interface Peer { readonly name: string; readonly port: number; readonly child: ChildProcess; readonly folder: string; readonly turns: Figures[] }

function spawned(peer: string, port: number, folder: string): ChildProcess {
  const cacheRows = peer === 'tidemark-remembering' ? SETTINGS.SCORER_CACHE_ROWS.parse(undefined) : 0;
  const env = { ...process.env, PORT: String(port), MODEL: join(dir, 'model.onnx'), FOLDER: folder, CACHE_ROWS: String(cacheRows) };
  return peer.startsWith('tidemark')
    ? spawn(...onCore(0, process.execPath, [...nodeFlags, fileURLToPath(new URL('./server.js', import.meta.url))]), { env, stdio: ['ignore', 'inherit', 'inherit'] })
    : spawn(...onCore(0, join(dir, 'start', `${peer}.sh`), []), { env, stdio: ['ignore', 'ignore', 'ignore'] });
}

const onCore = (core: number, command: string, args: readonly string[]): [string, string[]] => (pin ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]]);

const listens = (port: number): Promise<boolean> => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

async function start(name: string, port: number): Promise<Peer> {
  if (await listens(port)) throw new Error(`port ${port} is taken`);
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-serving-'));
  return { name, port, folder, child: spawned(name, port, folder), turns: [] };
}

/** Until it is up, checked and warm. */
async function warm({ name, port, child }: Peer): Promise<void> {
  for (const end = Date.now() + 60_000; !(await listens(port));) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`${name} does not listen`);
    await sleep(50);
  }
  if (name !== 'uws-const') await check(port);
  await wrk(port, '/predict', 'one.txt', 2);
  if (wants('rate')) await atRate(port, RATE_WARM_UP_S);
}

async function stop({ child, folder }: Peer): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null) {
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

async function post(port: number, path: string, body: string): Promise<any> {
  const res = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (res.status !== 200) throw new Error(`${path}: ${res.status} ${await res.text()}`);
  return res.json();
}

/** The answers are those of the model, singly and in batches, before anything is measured. */
async function check(port: number): Promise<void> {
  const singles = await Promise.all(bodies('one.txt').slice(0, 100).map(async (body) => (await post(port, '/predict', body)).score as number));
  const batch = await post(port, '/batch-predict', bodies('batch.txt')[0]!);
  const many = (batch.scores ?? batch.predictions.map(({ score }: { score: number }) => score)) as number[];
  for (const [i, score] of [...singles, ...many].entries()) if (!(Math.abs(score - reference[i % 100]!) < 1e-5)) throw new Error(`row ${i % 100}: ${score}, expected ${reference[i % 100]}`);
}

async function wrk(port: number, path: string, file: string, seconds: number): Promise<{ rps: number; requests: number; errors: number }> {
  const { stdout } = await run(...onCore(1, 'wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', 'post.lua', `http://127.0.0.1:${port}`, '--', `bodies/${file}`, path]), { cwd: dir });
  return JSON.parse(/JSON(\{.*\})/.exec(stdout)![1]!) as { rps: number; requests: number; errors: number };
}

async function atRate(port: number, seconds: number): Promise<{ p50_ms: number; p99_ms: number; done: number; errors: number }> {
  const { stdout } = await run(...onCore(1, join(dir, 'rust', 'target', 'release', 'olc'), [String(port), '/predict', 'bodies/one.txt', String(rate), String(seconds), String(CONNECTIONS)]), { cwd: dir });
  return JSON.parse(stdout) as { p50_ms: number; p99_ms: number; done: number; errors: number };
}

const wants = (what: string): boolean => only === undefined || only.includes(what);

async function measure({ port, child }: Peer): Promise<Figures> {
  const figures: Figures = { errors: 0 };
  const cpuUs = (beforeS: number, count: number, digits: number): number => Number((((cpuSecondsOf(child.pid!) - beforeS) / count) * 1e6).toFixed(digits));
  if (wants('single')) {
    await wrk(port, '/predict', 'one.txt', TURN_WARM_UP_S);
    const before = cpuSecondsOf(child.pid!);
    const { rps, requests, errors } = await wrk(port, '/predict', 'one.txt', secs);
    Object.assign(figures, { rps: Math.round(rps), cpu_us: cpuUs(before, requests, 1) });
    figures.errors += errors;
  }
  if (wants('rate')) {
    await atRate(port, TURN_WARM_UP_S);
    const before = cpuSecondsOf(child.pid!);
    const { p50_ms, p99_ms, done, errors } = await atRate(port, secs);
    Object.assign(figures, { p50_ms_at_rate: p50_ms, p99_ms_at_rate: p99_ms, done_at_rate: done, cpu_us_at_rate: cpuUs(before, done, 1) });
    figures.errors += errors;
  }
  if (wants('batch')) {
    await wrk(port, '/batch-predict', 'batch.txt', TURN_WARM_UP_S);
    const before = cpuSecondsOf(child.pid!);
    const { rps, requests, errors } = await wrk(port, '/batch-predict', 'batch.txt', secs);
    Object.assign(figures, { rows_per_s: Math.round(rps * 100), cpu_us_a_row: cpuUs(before, requests * 100, 2) });
    figures.errors += errors;
  }
  return figures;
}

/** ONNX Runtime alone, one thread, by call size: the least that a row costs. */
function bareCost(): number {
  const library = join(dir, 'node/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1');
  const text = execFileSync(join(dir, 'rust/target/release/bare_ort'), [join(dir, 'model.onnx'), join(dir, 'rows.f32'), '0.3'], { encoding: 'utf8', env: { ...process.env, ORT_DYLIB_PATH: library } });
  const { points } = JSON.parse(text) as { points: { us_row_p50: number }[] };
  return Math.min(...points.map(({ us_row_p50 }) => us_row_p50));
}

const KEYS = ['rps', 'cpu_us', 'p50_ms_at_rate', 'p99_ms_at_rate', 'cpu_us_at_rate', 'rows_per_s', 'cpu_us_a_row'] as const;
const quartile = (values: readonly number[], n: number): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * (n / 4))]!;
const summaryOf = ({ turns }: Peer, n: number): Figures => Object.fromEntries(KEYS.filter((key) => turns[0]![key] !== undefined).map((key) => [key, quartile(turns.map((figures) => figures[key]!), n)])) as unknown as Figures;
const by = <T>(peers: readonly Peer[], value: (peer: Peer) => T): Record<string, T> => Object.fromEntries(peers.map((peer) => [peer.name, value(peer)]));

const bare = wants('batch') ? bareCost() : undefined;
const up: Peer[] = [];
try {
  for (const [i, name] of names.entries()) {
    const peer = await start(name, FIRST_PORT + i);
    up.push(peer);
    await warm(peer);
  }
  for (let round = 0; round < rounds; round++)
    for (const peer of round % 2 === 0 ? up : [...up].reverse()) {
      const figures = await measure(peer);
      peer.turns.push(figures);
      console.log(JSON.stringify({ bench: 'serving', round, peer: peer.name, ...figures }));
    }
  const [first, ...others] = up as [Peer, ...Peer[]];
  const lower = by(others, ({ turns }) => first.turns.filter(({ p99_ms_at_rate: p99 = 0 }, i) => p99 <= turns[i]!.p99_ms_at_rate!).length);
  console.log(JSON.stringify({
    bench: 'serving', rounds, secs, connections: CONNECTIONS, rate, pin, ...(bare === undefined ? {} : { ort_us_a_row: bare, ort_rows_per_s: Math.round(1e6 / bare) }),
    medians: by(up, (peer) => summaryOf(peer, 2)), lower_quartiles: by(up, (peer) => summaryOf(peer, 1)), upper_quartiles: by(up, (peer) => summaryOf(peer, 3)),
    ...(wants('rate') ? { [`turns_in_which_p99_of_${first.name}_is_not_higher`]: lower } : {}),
  }));
} finally {
  for (const peer of up) await stop(peer);
}
