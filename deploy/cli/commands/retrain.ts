import { type Command, flagOf, textOf, UsageError } from '../command.js';

export const retrain: Command = {
  name: 'retrain',
  summary: 'Ask for a retraining: one event on retrain-events, which the trainer answers',
  description: 'The trainer takes it up as it does those of drift and schedule: a candidate is trained on what has landed, held against the champion, and deployed or refused with its reasons.',
  options: {
    why: { type: 'string', value: 'TEXT', description: 'the reason, for people: it stands in the event and in the model’s card' },
    key: { type: 'string', value: 'KEY', description: 'the same key asked again is the same retraining (default: each is one of its own)' },
    json: { type: 'boolean', description: 'print the event' },
  },
  examples: [
    ['tidemark retrain --why "new loyalty programme since Monday"', 'beside a running tidemark up'],
    ['tidemark retrain --why "quarter closed" --key 2026-q1', 'from a script that may run twice'],
  ],
  audited: (args) => ({ action: 'retrain', target: textOf(args, 'key') ?? '' }),
  async run(args) {
    const why = textOf(args, 'why');
    if (why === undefined) throw new UsageError('--why is missing: say what the new model is for');
    const [{ settingsOfRunning }, { Log }, { requestRetraining }, { currentUser }] = await Promise.all([
      import('../../endpoints.js'), import('../../../runtime/log.js'), import('../../../stream-processors/drift/request.js'),
      import('../../current-user.js'),
    ]);
    const settings = settingsOfRunning();
    const log = new Log('retrain', 'warn', (line) => process.stderr.write(line));
    const key = textOf(args, 'key');
    const event = await requestRetraining(settings, log, { why, by: currentUser(), ...(key === undefined ? {} : { key }) });
    process.stdout.write(flagOf(args, 'json') ? `${JSON.stringify(event)}\n`
      : `asked for: ${event.event_id}${event.model_version === '' ? '' : `, in service is ${event.model_version}`}\n` +
        `what becomes of it: tidemark sql "SELECT at, action, version, reason FROM model_ledger WHERE retrain_event_id = '${event.event_id}' ORDER BY at"\n`);
    return 0;
  },
};
