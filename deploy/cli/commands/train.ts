import { MODEL_STAGES, type ModelStage } from '../../../schemas/events/model.js';
import { type Command, flagOf, listOf, numberOf, textOf, UsageError } from '../command.js';

export const train: Command = {
  name: 'train',
  summary: 'Train a model on the landed events and publish it on models',
  description: 'Takes the customers’ features at past moments from ClickHouse, labels them by whether a purchase followed within LABEL_HORIZON_DAYS, chooses family and parameters (TRAIN_FAMILIES, TRAIN_METRIC, TRAIN_SEARCH_TRIALS) and trains on the earlier ones, and measures the model on the later ones. Running scorers take a published champion over by themselves.',
  options: {
    stage: { type: 'string', value: 'STAGE', description: `${MODEL_STAGES.join(', ')} (default champion: serve it)` },
    param: { type: 'string', short: 'p', value: 'NAME=VALUE', multiple: true, description: 'XGBoost parameter, rounds_max, early_stopping_rounds; may be repeated' },
    seed: { type: 'string', value: 'N', description: 'seed of the training (default 7)' },
    'dry-run': { type: 'boolean', description: 'train, measure and check, but publish nothing' },
    json: { type: 'boolean', description: 'print the manifest instead of the table' },
  },
  examples: [
    ['tidemark train', 'beside a running tidemark up'],
    ['LABEL_HORIZON_DAYS=90 tidemark train --dry-run -p max_depth=4', 'what another horizon and deeper trees would give'],
  ],
  async run(args) {
    const [{ settingsOfRunning }, { Log }, { train: run }, { reportOf }] = await Promise.all([
      import('../../endpoints.js'), import('../../../runtime/log.js'), import('../../../trainer/main.js'), import('../../../trainer/report.js'),
    ]);
    const stage = stageOf(textOf(args, 'stage'));
    const seed = numberOf(args, 'seed', { min: 0, max: 2 ** 31 - 1, integer: true });
    const parameters = { ...Object.fromEntries(listOf(args, 'param').map(splitParameter)), ...(seed === undefined ? {} : { seed }) };
    const settings = settingsOfRunning();
    // Standard output belongs to the result.
    const log = new Log('trainer', settings.LOG_LEVEL, (line) => process.stderr.write(line));
    const result = await run(settings, log, {
      parameters, publish: !flagOf(args, 'dry-run'), progress: (line) => process.stderr.write(`${line}\n`), ...(stage === undefined ? {} : { stage }),
    });
    process.stdout.write(flagOf(args, 'json') ? `${JSON.stringify(result.manifest)}\n` : reportOf(result));
    return 0;
  },
};

function stageOf(text: string | undefined): ModelStage | undefined {
  if (text === undefined || (MODEL_STAGES as readonly string[]).includes(text)) return text as ModelStage | undefined;
  throw new UsageError(`--stage: got ${JSON.stringify(text)}, expected ${MODEL_STAGES.join(', ')}`);
}

function splitParameter(text: string): [string, number] {
  const at = text.indexOf('=');
  const value = at < 1 || text.slice(at + 1).trim() === '' ? NaN : Number(text.slice(at + 1));
  if (Number.isNaN(value)) throw new UsageError(`--param: got ${JSON.stringify(text)}, expected NAME=NUMBER`);
  return [text.slice(0, at), value];
}
