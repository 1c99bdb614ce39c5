/** One option of a command, as its help shows it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What stands for the value in the help: `FILE`, `N`. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly description: string;
}

export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
}

/** A subcommand. Its file imports nothing heavy at the top: `run` loads the service that it starts. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** More for `--help`, a paragraph. */
  readonly description?: string;
  readonly positionals?: { readonly usage: string; readonly min: number; readonly max: number };
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** A command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Of an administrative action, what audit_log says it was done to; undefined where these arguments change nothing. A command without it changes nothing, or writes its own entries. */
  audited?(args: Arguments): { readonly action: string; readonly target: string } | undefined;
  /** @returns the exit code */
  run(args: Arguments): Promise<number>;
}

/** The command line is wrong: shown with a pointer to the help, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function textOf(args: Arguments, name: string): string | undefined {
  const value = args.values[name];
  return typeof value === 'string' ? value : undefined;
}

export const flagOf = (args: Arguments, name: string): boolean => args.values[name] === true;

/** Every value of an option that may be given several times. */
export function listOf(args: Arguments, name: string): readonly string[] {
  const value = args.values[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export interface NumberBounds {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

/** The value of a numeric option, undefined where it is not given. @throws UsageError outside its bounds */
export function numberOf(args: Arguments, name: string, { min, max, integer = false }: NumberBounds): number | undefined {
  const text = textOf(args, name);
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value) || value < min || value > max || (integer && !Number.isInteger(value)))
    throw new UsageError(`--${name}: got ${JSON.stringify(text)}, expected ${integer ? 'a whole number' : 'a number'} from ${min} to ${max}`);
  return value;
}
