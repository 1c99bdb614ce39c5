import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What tests run the real thing of: DVC, an S3-compatible server, an MLflow server. One environment for all of them. */
const REQUIREMENTS = [
  'dvc==3.67.1', 'moto[s3]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5',
  'mlflow-skinny==3.17.2', 'sqlalchemy==2.1.9', 'alembic==1.20.1', 'numpy==2.4.6', 'pandas==2.3.3', 'gunicorn==27.0.1',
];
/** Clients of the scorer's API. */
export const SERVING_REQUIREMENTS = ['tritonclient[http]==2.73.0', 'schemathesis==4.32.5', 'numpy==2.4.6'];
/** The client that most Python services publish with, and ClickHouse's. */
export const PRODUCER_REQUIREMENTS = ['confluent-kafka[avro,schemaregistry]==2.16.1'];
export const CLICKHOUSE_REQUIREMENTS = ['clickhouse-connect==1.12.0'];
const INSTALL_MS_MAX = 300_000;
const run = promisify(execFile);

/** Nothing that a test starts reports home. */
export const QUIET_ENV: Readonly<Record<string, string>> = { PATH: process.env['PATH'] ?? '', HOME: homedir(), DO_NOT_TRACK: 'true', DVC_NO_ANALYTICS: 'true', MLFLOW_DISABLE_TELEMETRY: 'true' };

/**
 * A Python with what is required, made once a machine, in the user's cache folder.
 * @returns its executable, or why there is none
 */
export async function pythonTools(requirements: readonly string[] = REQUIREMENTS): Promise<{ python: string; folder: string } | { missing: string }> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark-test');
  const folder = join(cache, `python-${createHash('sha256').update(requirements.join()).digest('hex').slice(0, 12)}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return { python, folder };
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(join(cache, 'making-'));
  try {
    await run('python3', ['-m', 'venv', made]);
    // Compiled when imported: most of it never is.
    await run(join(made, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--no-compile', '--disable-pip-version-check', ...requirements], { timeout: INSTALL_MS_MAX });
    // Another process may have been first; everything in it is started by `python -m`, which does not mind another name.
    await rename(made, folder).catch((error: unknown) => { if (!existsSync(python)) throw error; });
    return { python, folder };
  } catch (error) {
    return { missing: `needs Python 3 with venv, and pip to reach its packages: ${(error as Error).message.split('\n').slice(0, 2).join(' ')}` };
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
