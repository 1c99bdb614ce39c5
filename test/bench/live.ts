import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { watchCpu } from './cpu.js';
import type { ClientsReport, ClientsTask } from './live-clients.js';
import type { ServerReport, ServerTask } from './live-server.js';

/**
 * Live scores to CLIENTS WebSocket clients of one server process while RATE scores a second are committed, in batches
 * every 10 ms, for customers chosen evenly. Each client watches so many of the customers (WATCHED, several values one after
 * the other). Time from the hand-over of a committed batch to a client's receipt, on one clock: both processes on one
 * machine. Server and clients are a process each; a phase lasts PHASE_S seconds.
 */
const CLIENTS = Number(process.env['CLIENTS'] ?? 10_000);
const RATE = Number(process.env['RATE'] ?? 1000);
const CUSTOMERS = Number(process.env['CUSTOMERS'] ?? 10_000);
const WATCHED = (process.env['WATCHED'] ?? '1,10').split(',').map(Number);
const SECONDS = Number(process.env['PHASE_S'] ?? 15);

const children: ChildProcess[] = [];
/** A process with as many open files as it may have. */
function start(entry: string): ChildProcess {
  const child = spawn('/bin/sh', ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh', process.execPath, fileURLToPath(new URL(entry, import.meta.url))], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}
/** Sends a task and waits for the answer. */
const ask = <T>(child: ChildProcess, task: ServerTask | ClientsTask): Promise<T> => new Promise((resolve, reject) => {
  child.once('message', (answer) => resolve(answer as T));
  child.once('exit', (code) => reject(new Error(`a process of the bench ended with ${code}`)));
  child.send(task);
});
const residentMib = (pid: number): number => Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

try {
  const server = start('./live-server.js');
  const { port } = await ask<{ port: number }>(server, { do: 'listen', clients: CLIENTS, customers: CUSTOMERS });
  const emptyMib = residentMib(server.pid!);
  const clients = start('./live-clients.js');
  for (const watched of WATCHED) {
    const began = performance.now();
    await ask(clients, { do: 'watch', port, clients: CLIENTS, watched, customers: CUSTOMERS });
    const connectS = (performance.now() - began) / 1000;
    const connectedMib = residentMib(server.pid!);
    const cpu = watchCpu({ server: server.pid, clients: clients.pid });
    const { sent, committed, lateMs } = await ask<ServerReport>(server, { do: 'publish', rate: RATE, seconds: SECONDS });
    const cores = cpu();
    const report = await ask<ClientsReport>(clients, { do: 'report', expected: sent });
    console.log(JSON.stringify({
      bench: 'live', clients: CLIENTS, watched, rate: RATE, seconds: SECONDS, connect_s: Number(connectS.toFixed(1)), committed, sent, received: report.received, gaps: report.gaps,
      latency_ms: report.latencyMs, batch_late_ms_p99: lateMs, server_cores: cores['server'], clients_cores: cores['clients'],
      server_mib: { empty: emptyMib, connected: connectedMib, after: residentMib(server.pid!) }, kib_per_client: Number((((connectedMib - emptyMib) * 1024) / CLIENTS).toFixed(1)),
    }));
  }
} finally {
  await Promise.all(children.map((child) => new Promise<void>((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill();
  })));
}
