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

const POINTS_MAX = 10;
const DIAGNOSTIC_LINES_MAX = 25;

/** The points that failed, each with the beginning of what TAP says of it: a summary at the end of a long run. */
export function failedPoints(output: string): string[] {
  const lines = output.split('\n');
  const starts = lines.flatMap((line, i) => (/^\s*not ok /.test(line) && !/ # TODO\b/i.test(line) ? [i] : [])).slice(0, POINTS_MAX);
  return starts.flatMap((start) => {
    const length = lines.slice(start + 1).findIndex((line) => /^\s*(\.\.\.|ok |not ok |\d+\.\.\d+)/.test(line));
    return lines.slice(start, start + 1 + Math.min(length < 0 ? DIAGNOSTIC_LINES_MAX : length, DIAGNOSTIC_LINES_MAX));
  });
}
