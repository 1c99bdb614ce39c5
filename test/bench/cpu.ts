import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS_PER_S = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds that a process has used so far, user and system, by Linux's /proc. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Shares of one core that named processes use from now until the answer is asked for. */
export function watchCpu(pids: Readonly<Record<string, number | undefined>>): () => Record<string, number> {
  const known = Object.entries(pids).filter((entry): entry is [string, number] => entry[1] !== undefined);
  const before = new Map(known.map(([name, pid]) => [name, cpuSecondsOf(pid)]));
  const startedAt = performance.now();
  return () => {
    const seconds = (performance.now() - startedAt) / 1000;
    return Object.fromEntries(known.map(([name, pid]) => [name, Number(((cpuSecondsOf(pid) - before.get(name)!) / seconds).toFixed(2))]));
  };
}
