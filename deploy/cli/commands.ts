import type { Command } from './command.js';
import { dlq } from './commands/dlq.js';
import { doctor } from './commands/doctor.js';
import { features } from './commands/features.js';
import { sql } from './commands/sql.js';

/** Every subcommand, in the order of the help. */
export const COMMANDS: readonly Command[] = [dlq, doctor, features, sql];
