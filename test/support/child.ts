import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process of ours that tests kill and start again; it keeps its environment and its last lines. */
export class Child {
  readonly lines: string[] = [];
  starts = 0;
  /** Ends that nobody asked for: code or signal. */
  readonly died: string[] = [];
  private process: ChildProcess | undefined;
  private ending = false;

  /** @param entry module below dist/, relative to this file's folder */
  constructor(private readonly entry: string, private readonly env: Readonly<Record<string, string>>) {}

  get running(): boolean { return this.process !== undefined; }
  get pid(): number | undefined { return this.process?.pid; }

  start(): void {
    this.ending = false;
    this.starts++;
    const child = spawn(process.execPath, [fileURLToPath(new URL(this.entry, import.meta.url))], {
      env: { PATH: process.env['PATH'] ?? '', ...this.env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.process = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data: Buffer) => {
        this.lines.push(...data.toString().split('\n').filter((line) => line !== ''));
        if (this.lines.length > 400) this.lines.splice(0, 200);
      });
    child.on('exit', (code, signal) => {
      if (this.process === child) this.process = undefined;
      if (!this.ending) this.died.push(String(signal ?? code));
    });
  }

  /** SIGKILL, and waits for the end. */
  kill(): Promise<void> { return this.end('SIGKILL'); }
  /** SIGTERM, and waits for the orderly end. */
  stop(): Promise<void> { return this.end('SIGTERM'); }

  private end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    if (child === undefined) return Promise.resolve();
    this.ending = true;
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill(signal);
    });
  }
}
