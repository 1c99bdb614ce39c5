import { messageOf, TidemarkError } from './errors.js';

const LEVELS = { debug: 10, info: 20, warn: 30, error: 40 } as const;
export type LogLevel = keyof typeof LEVELS;
type Fields = Record<string, unknown>;

/** JSON lines on stdout, one event a line: time, level, service, event, then the event's own fields. */
export class Log {
  constructor(
    private readonly service: string,
    private readonly threshold: LogLevel = 'info',
    private readonly write: (line: string) => void = (line) => process.stdout.write(line),
    private readonly bound: Fields = {},
  ) {}

  /** The same log with fields that every line carries. */
  with(fields: Fields): Log {
    return new Log(this.service, this.threshold, this.write, { ...this.bound, ...fields });
  }

  debug(event: string, fields?: Fields): void { this.emit('debug', event, fields); }
  info(event: string, fields?: Fields): void { this.emit('info', event, fields); }
  warn(event: string, fields?: Fields): void { this.emit('warn', event, fields); }
  error(event: string, error: unknown, fields?: Fields): void {
    this.emit('error', event, { ...describe(error), ...fields });
  }

  private emit(level: LogLevel, event: string, fields: Fields = {}): void {
    if (LEVELS[level] < LEVELS[this.threshold]) return;
    this.write(`${JSON.stringify({ time: new Date().toISOString(), level, service: this.service, event, ...this.bound, ...fields })}\n`);
  }
}

function describe(error: unknown): Fields {
  if (error instanceof TidemarkError) return { code: error.code, message: error.message, ...error.details, ...causeOf(error) };
  if (error instanceof Error) return { message: error.message, stack: error.stack, ...causeOf(error) };
  return { message: String(error) };
}

function causeOf(error: Error): Fields {
  return error.cause === undefined ? {} : { cause: messageOf(error.cause) };
}
