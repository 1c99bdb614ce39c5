import type { Command } from './command.js';
import { doctor } from './commands/doctor.js';
import { features } from './commands/features.js';
import { sql } from './commands/sql.js';

/** Every subcommand, in the order of the help. */
export const COMMANDS: readonly Command[] = [doctor, features, sql];
