/** What `tidemark up` shows a person: lines that stay, and one line of progress that is written over. */
export interface Screen {
  /** A line that stays. */
  say(line: string): void;
  /** What is going on now; replaced by the next one and by any line that stays. */
  progress(line: string): void;
}

const PLAIN_INTERVAL_MS = 10_000;
const CLEAR_LINE = '\r\u001b[2K';

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * On a terminal the progress line is written over. Elsewhere (a log file, CI) it is a line like the others, printed when
 * its first words change and at most every ten seconds otherwise.
 */
export function createScreen(output: Output, now: () => number = Date.now): Screen {
  let shown = '';
  let printedAt = -Infinity;
  let topic = '';
  const clear = (): void => {
    if (shown !== '') output.write(CLEAR_LINE);
    shown = '';
  };
  return {
    say(line) {
      clear();
      output.write(`${line}\n`);
    },
    progress(line) {
      if (output.isTTY === true) {
        const fitting = line.length < (output.columns ?? 80) ? line : `${line.slice(0, (output.columns ?? 80) - 2)}…`;
        if (fitting === shown) return;
        clear();
        output.write(fitting);
        shown = fitting;
        return;
      }
      const first = topicOf(line);
      if (first === topic && now() - printedAt < PLAIN_INTERVAL_MS) return;
      topic = first;
      printedAt = now();
      output.write(`${line}\n`);
    },
  };
}

/** A progress line without its figures: what it is about. */
const topicOf = (line: string): string => line.split(/[:\d]/, 1)[0] ?? '';

const BAR_CELLS = 24;

/** `[######      ] 25 %`; without a known total, nothing. */
export function bar(done: number, total: number | undefined): string {
  if (total === undefined || total <= 0) return '';
  const share = Math.min(1, done / total);
  const cells = Math.round(share * BAR_CELLS);
  return `[${'#'.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}] ${Math.floor(share * 100)} % `;
}
