import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { readEndpoints } from '../../deploy/endpoints.js';
import { TEST_JARS_DIR } from './cluster.js';
import { until } from './wait.js';

/** A `tidemark up` as a user starts it. */
export interface UpProcess {
  readonly process: ChildProcess;
  /** All that it has printed. */
  output(): string;
  /** Waits for a piece of its output. */
  printed(piece: string | RegExp, deadlineMs?: number): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Its processes by name: processor, landing, scorer, kafka, registry, clickhouse. */
  children(): Map<string, number>;
  /** The settings of the running system. */
  endpoints(): Readonly<Record<string, string>>;
}

/** Ports of its own: what others on this machine start at the same moment would otherwise choose the same ones. */
const PORTS = ['KAFKA_PORT', 'SCHEMA_REGISTRY_PORT', 'CLICKHOUSE_PORT', 'SCORER_PORT', 'FEATURES_METRICS_PORT', 'LANDING_METRICS_PORT', 'DRIFT_METRICS_PORT', 'TRAINER_METRICS_PORT', 'ROLLOUT_METRICS_PORT'];
const ownPorts = (): Record<string, string> => {
  const first = 12_000 + Math.floor(Math.random() * 20_000);
  return Object.fromEntries(PORTS.map((name, i) => [name, String(first + i)]));
};

export function startUp(dataDir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): UpProcess {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'deploy', 'tidemark.mjs'), 'up', '--auto-ports', ...args], {
    env: { ...process.env, ...ownPorts(), JARS_DIR: TEST_JARS_DIR, DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece: string) => { output += piece; });
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => code ?? signal ?? 'nothing');
  let over = false;
  void ended.then(() => { over = true; });
  return {
    process: child, ended,
    output: () => output,
    async printed(piece, deadlineMs = 120_000) {
      const found = (): boolean => (typeof piece === 'string' ? output.includes(piece) : piece.test(output));
      await until(`tidemark up prints ${String(piece)}`, () => {
        if (!found() && over) throw new Error(`tidemark up ended before it printed ${String(piece)}:\n${output}`);
        return found();
      }, deadlineMs);
    },
    children: () => childrenOf(child.pid ?? 0),
    endpoints: () => readEndpoints(dataDir)?.settings ?? {},
  };
}

/** Names of the processes that a process has started, from what Linux shows of them. */
function childrenOf(pid: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')) {
    if (child === '') continue;
    const args = commandOf(child);
    const name = args.includes('kafka.Kafka') ? 'kafka'
      : args.some((arg) => arg.includes('apicurio')) ? 'registry'
      : args.some((arg) => arg.includes('embedded/clickhouse')) ? 'clickhouse'
      : args.at(-1);
    if (name !== undefined) found.set(name, Number(child));
  }
  return found;
}

function commandOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter((arg) => arg !== '');
  } catch {
    return [];
  }
}
