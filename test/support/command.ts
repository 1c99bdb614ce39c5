import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { TEST_JARS_DIR } from './cluster.js';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command as a user types it beside a running system: `tidemark(dataDir, env, 'models', 'list')`. */
export async function tidemark(dataDir: string, env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'deploy', 'tidemark.mjs'), ...args], {
    env: { ...process.env, JARS_DIR: TEST_JARS_DIR, DATA_DIR: dataDir, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (piece: string) => { said[name] += piece; });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === null) throw new Error(`tidemark ${args.join(' ')} was ended by ${String(signal)}:\n${said.stderr}`);
  return { code, ...said };
}
