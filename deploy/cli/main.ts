import { TidemarkError } from '../../runtime/errors.js';
import { closest } from './closest.js';
import { type Arguments, type Command, UsageError } from './command.js';
import { COMMANDS } from './commands.js';
import { commandHelp, overview } from './help.js';
import { parseCommandLine } from './parse.js';

/** Runs one command line and ends the process with its exit code: 0 done, 1 failed, 2 wrong command line. */
export async function main(argv: readonly string[]): Promise<never> {
  process.exit(await runCommandLine(argv));
}

/** @returns the exit code */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (name === 'help' || name === '--help' || name === '-h') return showHelp(rest[0]);
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) return unknown(name);
  try {
    const parsed = parseCommandLine(command, rest);
    if (!parsed.help) return await runAudited(command, parsed);
    process.stdout.write(commandHelp(command));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`${name}: ${error.message}; see tidemark ${name} --help`);
      return 2;
    }
    complain(error instanceof TidemarkError ? `${error.message} [${error.code}]` : describeBug(error));
    return 1;
  }
}

/** What was tried stands in the audit, whether it came to its end or not; a wrong command line tried nothing. */
async function runAudited(command: Command, args: Arguments): Promise<number> {
  const entry = command.audited?.(args);
  if (entry === undefined) return command.run(args);
  let outcome: 'done' | 'failed' | undefined = 'failed';
  try {
    const code = await command.run(args);
    if (code === 0) outcome = 'done';
    return code;
  } catch (error) {
    if (error instanceof UsageError) outcome = undefined;
    throw error;
  } finally {
    if (outcome !== undefined) {
      const [{ settingsOfRunning }, { recordCommand }] = await Promise.all([import('../endpoints.js'), import('../audit.js')]);
      await recordCommand(settingsOfRunning(), (text) => process.stderr.write(text), { ...entry, outcome, detail: args.values });
    }
  }
}

function showHelp(name: string | undefined): number {
  if (name === undefined) {
    process.stdout.write(overview(COMMANDS));
    return 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) return unknown(name);
  process.stdout.write(commandHelp(command));
  return 0;
}

function unknown(name: string): number {
  const near = closest(name, COMMANDS.map((command) => command.name));
  complain(`unknown command ${JSON.stringify(name)}${near === undefined ? '' : `; did you mean ${near}?`}; see tidemark help`);
  return 2;
}

const complain = (text: string): void => { process.stderr.write(`tidemark: ${text}\n`); };
const describeBug = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
