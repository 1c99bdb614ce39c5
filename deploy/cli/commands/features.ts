import { type Command, flagOf } from '../command.js';

export const features: Command = {
  name: 'features',
  summary: 'Show the latest features of a customer from the scorer’s online store, whether it runs or not',
  positionals: { usage: 'CUSTOMER', min: 1, max: 1 },
  options: { json: { type: 'boolean', description: 'print the scorer’s answer as it is' } },
  examples: [
    ['tidemark features C0000042', 'the vector that the next score would be made from'],
    ['tidemark features C0000042 --json', 'the same for other programs'],
  ],
  async run(args) {
    const [{ settingsOfRunning }, { latestFeatures }] = await Promise.all([import('../../endpoints.js'), import('../../../scorer/features-command.js')]);
    const { source, customer } = await latestFeatures(settingsOfRunning(), args.positionals[0] ?? '');
    if (source === 'store') process.stderr.write('no scorer runs: read from the online store that it left on disk\n');
    process.stdout.write(flagOf(args, 'json') ? `${JSON.stringify(customer)}\n` : render(customer));
    return 0;
  },
};

/** One field a line; the features, which stand in an object of their own, indented under it. */
function render(answer: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(answer)) {
    if (value === null || typeof value !== 'object') {
      lines.push(`${name}  ${show(value)}`);
      continue;
    }
    const width = Math.max(0, ...Object.keys(value).map((key) => key.length));
    lines.push(name, ...Object.entries(value).map(([key, item]) => `  ${key.padEnd(width)}  ${show(item)}`));
  }
  return `${lines.join('\n')}\n`;
}

const show = (value: unknown): string => (value === null ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value));
