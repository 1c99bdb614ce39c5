import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds, at most `deadlineMs`; asks again after `pollMs`, longer where asking costs something. @throws with what was waited for */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 90_000, pollMs = 20): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(pollMs);
  }
}

/** Whether a process runs; one that has ended and was not waited for does not. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
