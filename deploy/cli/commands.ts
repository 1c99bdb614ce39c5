import type { Command } from './command.js';
import { dlq } from './commands/dlq.js';
import { doctor } from './commands/doctor.js';
import { drift } from './commands/drift.js';
import { features } from './commands/features.js';
import { keys } from './commands/keys.js';
import { migrate } from './commands/migrate.js';
import { models } from './commands/models.js';
import { replayPrediction } from './commands/replay-prediction.js';
import { reset } from './commands/reset.js';
import { retrain } from './commands/retrain.js';
import { landing, processor, rollout, scorer, trainer } from './commands/services.js';
import { settings } from './commands/settings.js';
import { replay, simulate } from './commands/sources.js';
import { sql } from './commands/sql.js';
import { topics } from './commands/topics.js';
import { train } from './commands/train.js';
import { up } from './commands/up.js';

/** Every subcommand, in the order of the help. */
export const COMMANDS: readonly Command[] = [up, doctor, features, sql, drift, replayPrediction, dlq, simulate, replay, train, retrain, models, keys, topics, migrate, reset, processor, scorer, landing, trainer, rollout, settings];
