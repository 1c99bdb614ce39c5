import { ProtocolError } from './protocol-error.js';

/** Bounds how many requests run and how many wait; the wait is first come, first served. */
export class Admission {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  constructor(private readonly runningMax: number, private readonly waitingMax: number) {}

  /** Resolves with the release. @throws ProtocolError 202 when the queue is full */
  async enter(): Promise<() => void> {
    if (this.running < this.runningMax) this.running++;
    else {
      if (this.waiting.length >= this.waitingMax)
        throw new ProtocolError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `Too many simultaneous queries: ${this.running} run and ${this.waiting.length} wait, maximum ${this.runningMax} and ${this.waitingMax}. Try again later.`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      // The place goes straight to the next one, so that nobody overtakes.
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    };
  }

  get busy(): number { return this.running + this.waiting.length; }
}
