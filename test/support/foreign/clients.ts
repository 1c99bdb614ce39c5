import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { partFolder } from '../../../runtime/embedded/maven.js';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { TEST_JARS_DIR } from '../cluster.js';

const HERE = join(PROJECT_ROOT, 'test', 'support', 'foreign');
const RUN_DEADLINE_MS = 90_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Runs a program to its end with this input. @returns what it wrote */
export function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const deadline = setTimeout(() => child.kill('SIGKILL'), RUN_DEADLINE_MS);
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => { if (out.length < OUTPUT_BYTES_MAX) out += piece; });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => { errors = (errors + piece).slice(-4000); });
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args[0] ?? ''} ended with ${signal ?? code}: ${errors}`));
    });
    child.stdin.end(input);
  });
}

/** Why kcat cannot be used; undefined where it can. */
export const noKcat = (): string | undefined => (spawnSync('kcat', ['-V']).status === 0 ? undefined : 'kcat is not installed');

/** Why Java's sources cannot be run (a runtime without a compiler). Call it once the cluster's jars are there. */
export const noJavac = (): string | undefined => (spawnSync('javac', ['-version']).status === 0 ? undefined : 'there is no Java compiler');

/** Kafka's client from the broker's jars, Avro from the registry's. */
export function runJava(args: readonly string[], input = ''): Promise<string> {
  const registry = join(partFolder('registry', TEST_JARS_DIR), 'lib');
  const avro = readdirSync(registry).filter((name) => /^(org\.apache\.avro\.avro|com\.fasterxml\.jackson\.core\.jackson-)/.test(name)).map((name) => join(registry, name));
  const classPath = [join(partFolder('kafka', TEST_JARS_DIR), '*'), ...avro].join(':');
  return run('java', ['-XX:TieredStopAtLevel=1', '-cp', classPath, join(HERE, 'AvroClient.java'), ...args], input);
}

export const runPython = (python: string, args: readonly string[], input: string): Promise<string> => run(python, [join(HERE, 'avro_producer.py'), ...args], input);
