import { type Command, flagOf, listOf, numberOf, textOf, UsageError } from '../command.js';

export const train: Command = {
  name: 'train',
  summary: 'Train a model on the landed events and publish it on models',
  description: 'Takes the customers’ features at past moments from ClickHouse, labels them by whether a purchase followed within LABEL_HORIZON_DAYS, chooses family and parameters (TRAIN_FAMILIES, TRAIN_METRIC, TRAIN_SEARCH_TRIALS) and trains on the earlier ones, and measures the model on the later ones. The gate then compares it with the champion on rows that neither was trained on: an accepted version enters service as ROLLOUT_MODE says, the first one at once; a refused one is kept with its reasons. Running scorers follow by themselves.',
  options: {
    stage: { type: 'string', value: 'STAGE', description: 'how far an accepted version goes: candidate (kept, serves nobody), shadow, canary, champion (default: as ROLLOUT_MODE says)' },
    force: { type: 'boolean', description: 'deploy it even where the gate refuses it; the ledger says so' },
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
    const mode = modeOf(textOf(args, 'stage'));
    const seed = numberOf(args, 'seed', { min: 0, max: 2 ** 31 - 1, integer: true });
    const parameters = { ...Object.fromEntries(listOf(args, 'param').map(splitParameter)), ...(seed === undefined ? {} : { seed }) };
    const settings = settingsOfRunning();
    // Standard output belongs to the result.
    const log = new Log('trainer', settings.LOG_LEVEL, (line) => process.stderr.write(line));
    const result = await run(settings, log, {
      parameters, publish: !flagOf(args, 'dry-run'), progress: (line) => process.stderr.write(`${line}\n`), force: flagOf(args, 'force'), ...(mode === undefined ? {} : { mode }),
    });
    process.stdout.write(flagOf(args, 'json') ? `${JSON.stringify(result.manifest)}\n` : reportOf(result));
    return 0;
  },
};

const MODES = { candidate: 'none', shadow: 'shadow', canary: 'canary', champion: 'full' } as const;

function modeOf(text: string | undefined): (typeof MODES)[keyof typeof MODES] | undefined {
  if (text === undefined) return undefined;
  if (Object.hasOwn(MODES, text)) return MODES[text as keyof typeof MODES];
  throw new UsageError(`--stage: got ${JSON.stringify(text)}, expected ${Object.keys(MODES).join(', ')}`);
}

function splitParameter(text: string): [string, number] {
  const at = text.indexOf('=');
  const value = at < 1 || text.slice(at + 1).trim() === '' ? NaN : Number(text.slice(at + 1));
  if (Number.isNaN(value)) throw new UsageError(`--param: got ${JSON.stringify(text)}, expected NAME=NUMBER`);
  return [text.slice(0, at), value];
}
