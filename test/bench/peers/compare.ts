import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The neutral harness of the peers runs Kafka Streams and this feature processor in turn, REPS times each: throughput of
 * EVENTS events, and latency at 2,000 events/s. PEERS_DIR is the harness's folder after its setup.sh.
 */
const folder = process.env['PEERS_DIR'];
if (folder === undefined || !existsSync(join(folder, 'run.sh'))) {
  console.log(JSON.stringify({ bench: 'peers', skipped: 'PEERS_DIR is not set to a built harness (run.sh, setup.sh)' }));
} else {
  const reps = Number(process.env['REPS'] ?? 3);
  const ours = { LABEL: 'tidemark', PROCESSOR_CMD: `${process.execPath} ${fileURLToPath(new URL('features-adapter.js', import.meta.url))}` };
  const streams = { LABEL: 'kafka-streams' };
  const shared = { N: process.env['EVENTS'] ?? '4000000' };
  const kinds = {
    throughput: [{ ...ours, ...shared }, { ...streams, ...shared }],
    latency: [{ ...ours, MODE: 'latency' }, { ...streams, MODE: 'latency', COMMIT_MS: '20' }, { ...streams, MODE: 'latency', COMMIT_MS: '5', LINGER_MS: '1', THREADS: '1', LABEL: 'kafka-streams-5ms' }],
  };
  const keep = ['label', 'mode', 'events', 'commit_ms', 'outputs_per_s', 'outputs_per_s_after_first', 'outputs_per_s_20_to_90pct', 'p50_ms', 'p90_ms', 'p99_ms', 'max_ms', 'cpu_s_processor', 'cpu_s_processor_paced', 'cpu_s_broker', 'cpu_s_broker_paced', 'peak_rss_mb_processor', 'others_cpu_pct', 'exactly_once_ok'];
  for (const [kind, runs] of Object.entries(kinds)) {
    if (process.env['ONLY'] !== undefined && process.env['ONLY'] !== kind) continue;
    for (let rep = 0; rep < reps; rep++)
      for (const env of runs) {
        const { stdout, status } = spawnSync('bash', [join(folder, 'run.sh')], { env: { ...process.env, ...env }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 * 1024 * 1024 });
        if (status !== 0) { console.log(JSON.stringify({ bench: 'peers', label: env.LABEL, failed: status })); continue; }
        const result = JSON.parse(stdout) as Record<string, unknown>;
        console.log(JSON.stringify({ bench: 'peers', rep, ...Object.fromEntries(keep.filter((name) => result[name] !== undefined && result[name] !== null).map((name) => [name, result[name]])) }));
      }
  }
}
