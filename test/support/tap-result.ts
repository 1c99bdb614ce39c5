export interface TapResult {
  readonly passed: number;
  readonly failed: number;
  /** What was skipped and why, as the test said it. */
  readonly skipped: readonly string[];
}

/** Counts the top-level test points of one file's TAP; a file skipped as a whole counts as one skipped. */
export function readTap(tap: string): TapResult {
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  for (const line of tap.split('\n')) {
    const point = /^(not )?ok \d+(?: - (.*))?$/.exec(line);
    if (point !== null) {
      const skip = / # SKIP ?(.*)/i.exec(line);
      if (skip !== null) skipped.push((point[2] ?? '').trim());
      else if (point[1] === undefined || / # TODO\b/i.test(line)) passed++;
      else failed++;
    } else if (/^1\.\.0 # SKIP/i.test(line)) {
      skipped.push(line.slice('1..0 # SKIP'.length).trim());
    } else if (/^Bail out!/.test(line)) {
      failed++;
    }
  }
  return { passed, failed, skipped };
}
