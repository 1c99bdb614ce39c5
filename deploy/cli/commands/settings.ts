import { type Command, flagOf } from '../command.js';

export const settings: Command = {
  name: 'settings',
  summary: 'List every setting with its value here, secrets masked',
  options: {
    markdown: { type: 'boolean', description: 'the table of defaults as README has it' },
    'env-example': { type: 'boolean', description: 'the defaults as .env.example has them' },
  },
  examples: [
    ['tidemark settings', 'what a start from this shell would use'],
    ['tidemark settings --env-example > .env', 'a file to change'],
  ],
  async run(args) {
    const [docs, { loadSettings }] = await Promise.all([import('../../../runtime/settings-docs.js'), import('../../../runtime/settings.js')]);
    if (flagOf(args, 'markdown')) {
      process.stdout.write(`${docs.settingsTable()}\n`);
      return 0;
    }
    if (flagOf(args, 'env-example')) {
      process.stdout.write(docs.envExample());
      return 0;
    }
    const values = loadSettings();
    const width = Math.max(...docs.SETTING_DOCS.map(({ name }) => name.length));
    for (const { name, preset, meaning } of docs.SETTING_DOCS) {
      const value = docs.shownValue(name, values[name]);
      process.stdout.write(`${value === preset ? ' ' : '*'} ${name.padEnd(width)}  ${value === '' ? '–' : value}\n  ${' '.repeat(width)}  ${meaning}\n`);
    }
    return 0;
  },
};
