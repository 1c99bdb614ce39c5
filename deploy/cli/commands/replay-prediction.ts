import { type Command, flagOf } from '../command.js';

export const replayPrediction: Command = {
  name: 'replay-prediction',
  summary: 'Compute a landed prediction anew, bit for bit, from the stored vector and from the raw events',
  description: 'The score from the vector in table predictions and the model’s bytes (artifact store, or the topic models); the vector from the customer’s landed events in the order of their arrival. Exit code 0: all of it is equal; 1: something differs or cannot be computed any more.',
  positionals: { usage: 'ID', min: 1, max: 1 },
  options: { json: { type: 'boolean', description: 'print the comparison as JSON; a missing value is "NaN"' } },
  examples: [
    ['tidemark sql "SELECT prediction_id FROM predictions ORDER BY score DESC LIMIT 1"', 'an id'],
    ['tidemark replay-prediction 2-1841', 'where that score came from'],
  ],
  async run(args) {
    const [{ settingsOfRunning }, { Log }, { replayPrediction: run }, { reportOf }] = await Promise.all([
      import('../../endpoints.js'), import('../../../runtime/log.js'), import('../../replay/main.js'), import('../../replay/report.js'),
    ]);
    const settings = settingsOfRunning();
    const replay = await run(settings, new Log('replay', 'warn', (line) => process.stderr.write(line)), args.positionals[0] ?? '');
    process.stdout.write(flagOf(args, 'json') ? `${JSON.stringify(replay, (_, value: unknown) => (typeof value === 'number' && Number.isNaN(value) ? 'NaN' : value))}\n` : reportOf(replay));
    return replay.equal ? 0 : 1;
  },
};
