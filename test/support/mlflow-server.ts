import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../runtime/ports.js';
import { QUIET_ENV } from './python.js';
import { until } from './wait.js';

/**
 * A real MLflow server that takes artifacts, in a folder that goes with the test. Its empty database takes ten seconds of migrations, so
 * one is kept beside the installed packages.
 * @returns its address
 */
export async function startMlflow(t: { teardown(end: () => Promise<void>): unknown }, { python, folder: cache }: { python: string; folder: string }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-mlflow-'));
  const database = join(folder, 'mlflow.db');
  const empty = join(cache, 'mlflow-empty.db');
  const known = existsSync(empty);
  if (known) await copyFile(empty, database);
  const url = `http://127.0.0.1:${await freePort()}`;
  // What `mlflow server` sets and runs, without its command line's own ten seconds.
  const server = spawn(python, ['-m', 'gunicorn', '--bind', url.slice('http://'.length), '--workers', '1', '--timeout', '120', 'mlflow.server:app'], {
    cwd: folder, stdio: 'ignore',
    env: {
      ...QUIET_ENV, _MLFLOW_SERVER_FILE_STORE: `sqlite:///${database}`, _MLFLOW_SERVER_REGISTRY_STORE: `sqlite:///${database}`, _MLFLOW_SERVER_ARTIFACT_ROOT: 'mlflow-artifacts:/',
      _MLFLOW_SERVER_ARTIFACT_DESTINATION: join(folder, 'artifacts'), _MLFLOW_SERVER_SERVE_ARTIFACTS: 'true',
    },
  });
  const gone = once(server, 'exit');
  t.teardown(async () => {
    server.kill('SIGTERM'); // with its worker
    await gone;
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  await until('the MLflow server', async () => (await fetch(`${url}/api/2.0/mlflow/experiments/get?experiment_id=0`).catch(() => undefined))?.ok === true, 120_000);
  if (!known) {
    await copyFile(database, `${empty}.new`);
    await rename(`${empty}.new`, empty);
  }
  return url;
}
