import { type Command, flagOf, UsageError } from '../command.js';

const NAMES = ['features', 'scorer', 'landing'] as const;

export const reset: Command = {
  name: 'reset',
  summary: 'Let a stopped process go on after records it had not read were deleted, or compute the features anew',
  description: 'Positions that the topic no longer has move to its first record: records that retention deleted are given up. ' +
    'With --rebuild the feature processor’s state (changelog topic, state folder) is deleted and every event that Kafka still has is taken again. Runs while tidemark up is stopped.',
  positionals: { usage: NAMES.join(' | '), min: 1, max: 1 },
  options: { rebuild: { type: 'boolean', description: 'features only: delete the state and begin at the first event' } },
  examples: [
    ['tidemark reset landing', 'after OFFSET_EXPIRED in landing'],
    ['tidemark reset features --rebuild', 'after STATE_VERSION_UNKNOWN'],
  ],
  audited: ({ positionals: [target = ''] }) => ({ action: 'reset', target }),
  async run(args) {
    const what = NAMES.find((name) => name === args.positionals[0]);
    if (what === undefined) throw new UsageError(`reset: got ${JSON.stringify(args.positionals[0])}, expected ${NAMES.join(', ')}`);
    const rebuild = flagOf(args, 'rebuild');
    if (rebuild && what !== 'features') throw new UsageError('--rebuild: only features have a state to rebuild');
    const [{ loadSettings }, { resetPositions }, { Log }] = await Promise.all([
      import('../../../runtime/settings.js'), import('../../reset.js'), import('../../../runtime/log.js'),
    ]);
    const moves = await resetPositions(loadSettings(), what, rebuild, new Log('reset', 'warn', (line) => process.stderr.write(line)));
    for (const { topic, partition, from, to } of moves) process.stdout.write(`${topic}-${partition}  ${from} → ${to}\n`);
    process.stdout.write(rebuild ? 'the state is deleted: the next start computes it anew\n' : moves.length === 0 ? 'every position is in its topic: nothing to reset\n' : '');
    return 0;
  },
};
