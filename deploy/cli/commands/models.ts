import { type Arguments, type Command, flagOf, listOf, numberOf, textOf, UsageError } from '../command.js';
import type { Service } from '../../models/change.js';

/** Actions with the arguments that they take. */
const ACTIONS: Readonly<Record<string, { readonly usage: string; readonly min: number; readonly max: number; readonly options: readonly string[] }>> = {
  list: { usage: 'list', min: 0, max: 0, options: ['json'] },
  show: { usage: 'show VERSION', min: 1, max: 1, options: ['json'] },
  diff: { usage: 'diff VERSION VERSION', min: 2, max: 2, options: ['json'] },
  promote: { usage: 'promote VERSION', min: 1, max: 1, options: ['why', 'shadow', 'canary'] },
  rollback: { usage: 'rollback [VERSION]', min: 0, max: 1, options: ['why', 'to'] },
  import: { usage: 'import FILE', min: 1, max: 1, options: ['why', 'shadow', 'canary', 'full', 'check', 'unchecked', 'expected', 'tolerance', 'inputs', 'map'] },
};

export const models: Command = {
  name: 'models',
  summary: 'List, show, compare, import, promote and roll back versions of the model',
  description:
    'Every change is an entry of models.ledger, with who and why; running scorers follow it within about a second, and so does what is started later. VERSION may be its beginning or end, ' +
    'champion or challenger. import takes an ONNX model with one float input [N, columns]: its columns are matched with the view’s features by name or --map, ' +
    'and its scores are held against those of --check before it is published.',
  positionals: { usage: 'list | show VERSION | diff VERSION VERSION | import FILE | promote VERSION | rollback [VERSION]', min: 1, max: 3 },
  options: {
    json: { type: 'boolean', description: 'list, show, diff: JSON instead of a table' },
    why: { type: 'string', value: 'TEXT', description: 'promote, rollback, import: the reason, for the ledger' },
    shadow: { type: 'boolean', description: 'promote, import: score it beside the champion, publish the champion’s scores' },
    canary: { type: 'string', value: 'SHARE', description: 'promote, import: let it serve this share of the customers (0 to 1)' },
    full: { type: 'boolean', description: 'import: let it serve everybody at once (default: register it only)' },
    to: { type: 'string', value: 'VERSION', description: 'rollback: the version that serves afterwards (default: the champion before)' },
    check: { type: 'string', value: 'CSV', description: 'import: rows of the model’s columns, and the scores that its trainer gives for them' },
    expected: { type: 'string', value: 'COLUMN', description: 'import: the column of those scores (default expected)' },
    tolerance: { type: 'string', value: 'N', description: 'import: how far a score may be from the expected one (default 0.0001)' },
    unchecked: { type: 'boolean', description: 'import: take it without --check' },
    inputs: { type: 'string', value: 'A,B,…', description: 'import: the model’s columns in its order (default: the header of --check, else the order of --map)' },
    map: { type: 'string', value: 'COLUMN=FEATURE,…', multiple: true, description: 'import: which feature of the view a column is; not needed where they have one name' },
  },
  examples: [
    ['tidemark models list', 'versions with their stage, figures and last decision'],
    ['tidemark models import model.onnx --check rows.csv --map recency=days_since_last_purchase --shadow', 'an outside model, scored beside the champion'],
    ['tidemark models promote 1a2b3c4d --canary 0.1 --why "better in the campaign"', 'a tenth of the customers'],
    ['tidemark models rollback --why "scores look wrong"', 'back to the champion before'],
  ],
  audited: ({ positionals: [action = '', target = ''] }) => (['promote', 'rollback', 'import'].includes(action) ? { action: `models.${action}`, target } : undefined),
  async run(args) {
    const [action = '', ...rest] = args.positionals;
    const spec = ACTIONS[action];
    if (spec === undefined) throw new UsageError(`got ${JSON.stringify(action)}, expected ${Object.keys(ACTIONS).join(', ')}`);
    if (rest.length < spec.min || rest.length > spec.max) throw new UsageError(`expected ${spec.usage}`);
    const stray = Object.keys(args.values).find((name) => !spec.options.includes(name));
    if (stray !== undefined) throw new UsageError(`${action} takes no --${stray}`);
    const service = serviceOf(args);
    const why = textOf(args, 'why') ?? '';
    const json = flagOf(args, 'json');
    const tolerance = numberOf(args, 'tolerance', { min: 0, max: 1 }) ?? 1e-4;
    if (action === 'import' && (textOf(args, 'check') === undefined) !== flagOf(args, 'unchecked')) throw new UsageError('import: give either --check CSV or --unchecked');

    const [{ settingsOfRunning }, { Log }] = await Promise.all([import('../../endpoints.js'), import('../../../runtime/log.js')]);
    const settings = settingsOfRunning();
    const log = new Log('models', 'warn', (line) => process.stderr.write(line));
    const write = (text: string): void => { process.stdout.write(text); };
    const [first = '', second = ''] = rest;
    if (action === 'list' || action === 'show' || action === 'diff') {
      const { listModels, showModel, diffModels } = await import('../../models/commands.js');
      if (action === 'list') await listModels(settings, log, json, write);
      else if (action === 'show') await showModel(settings, log, first, json, write);
      else await diffModels(settings, log, first, second, json, write);
    } else if (action === 'import') {
      const { importModel } = await import('../../models/import.js');
      const inputs = textOf(args, 'inputs')?.split(',').map((name) => name.trim());
      await importModel(settings, log, { file: first, check: textOf(args, 'check'), expected: textOf(args, 'expected') ?? 'expected', tolerance, inputs, map: listOf(args, 'map'), service, why }, write);
    } else {
      const { promoteModel, rollBackModel } = await import('../../models/change.js');
      if (action === 'promote') await promoteModel(settings, log, first, service ?? { mode: 'full' }, why, write);
      else await rollBackModel(settings, log, rest[0], textOf(args, 'to'), why, write);
    }
    return 0;
  },
};

function serviceOf(args: Arguments): Service | undefined {
  const share = numberOf(args, 'canary', { min: 0, max: 1 });
  const asked = [flagOf(args, 'shadow'), share !== undefined, flagOf(args, 'full')].filter(Boolean).length;
  if (asked > 1) throw new UsageError('give one of --shadow, --canary and --full');
  if (share !== undefined) return { mode: 'canary', share };
  return flagOf(args, 'shadow') ? { mode: 'shadow' } : flagOf(args, 'full') ? { mode: 'full' } : undefined;
}
