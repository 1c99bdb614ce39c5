import { parseArgs } from 'node:util';
import { type Arguments, type Command, UsageError } from './command.js';
import { closest } from './closest.js';

export type Parsed = { readonly help: true } | ({ readonly help: false } & Arguments);

/** Reads a command's own arguments. @throws UsageError naming the unknown option, the missing value or the surplus argument */
export function parseCommandLine(command: Command, argv: readonly string[]): Parsed {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short, multiple = false }]) => [name, { type, multiple, ...(short === undefined ? {} : { short }) }]),
  );
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options: { ...options, help: { type: 'boolean', short: 'h' } }, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(explain(command, error as NodeJS.ErrnoException));
  }
  if (parsed.values['help'] === true) return { help: true };
  const { usage, min, max } = command.positionals ?? { usage: '', min: 0, max: 0 };
  const count = parsed.positionals.length;
  if (count > max) throw new UsageError(max === 0 ? `got ${JSON.stringify(parsed.positionals[0])}, expected options only` : `got ${count} arguments, expected ${usage}`);
  if (count < min) throw new UsageError(`expected ${usage}`);
  return { help: false, values: parsed.values, positionals: parsed.positionals };
}

function explain(command: Command, error: NodeJS.ErrnoException): string {
  if (error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return error.message.replace(/\n.*/s, '');
  const given = /'(--?[^']+)'/.exec(error.message)?.[1] ?? '?';
  const near = closest(given.replace(/^-+/, ''), Object.keys(command.options));
  return `unknown option ${given}${near === undefined ? '' : `; did you mean --${near}?`}`;
}
