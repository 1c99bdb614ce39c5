import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What ends with its parent is given this long to notice. */
const GRACE_MS = 5_000;

/**
 * What a test file left behind: entries of its temporary folder, and on Linux the processes that have that folder for their
 * temporary one. The processes are ended.
 * @returns one line each; empty where all is clean
 */
export async function leftBehind(folder: string): Promise<string[]> {
  const end = Date.now() + GRACE_MS;
  let processes = processesWith(folder);
  while (processes.length > 0 && Date.now() < end) {
    await sleep(100);
    processes = processesWith(folder);
  }
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch { /* it has ended meanwhile */ }
  }
  return [...processes.map(({ pid, command }) => `process ${pid}: ${command}`), ...readdirSync(folder).map((name) => `temporary files: ${name}`)];
}

function processesWith(folder: string): { pid: number; command: string }[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      if (!environment.includes(`TMPDIR=${folder}`)) return [];
      return [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 200) }];
    } catch {
      return []; // it has ended, or is someone else's
    }
  });
}
