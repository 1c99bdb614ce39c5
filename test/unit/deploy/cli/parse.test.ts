import t from 'tap';
import { COMMANDS } from '../../../../deploy/cli/commands.js';
import { closest } from '../../../../deploy/cli/closest.js';
import { type Command, numberOf, UsageError } from '../../../../deploy/cli/command.js';
import { up } from '../../../../deploy/cli/commands/up.js';
import { mapOf, sourceOf } from '../../../../deploy/cli/source-options.js';
import { commandHelp, overview } from '../../../../deploy/cli/help.js';
import { parseCommandLine } from '../../../../deploy/cli/parse.js';

const parse = (argv: string[], command: Command = up) => {
  const parsed = parseCommandLine(command, argv);
  if (parsed.help) throw new Error('asked for help');
  return parsed;
};
const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'accepted';
};

t.test('wrong command lines are refused with the option, what was got and what was expected', (t) => {
  const table: [string[], RegExp][] = [
    [['--event', 'x'], /unknown option --event; did you mean --events\?/],
    [['--frobnicate'], /^unknown option --frobnicate$/],
    [['-x'], /unknown option -x/],
    [['--events'], /'--events <value>' argument missing/],
    [['file.csv'], /got "file.csv", expected options only/],
    [['--logs=yes'], /'--logs' does not take an argument/],
  ];
  for (const [argv, message] of table) t.match(refusal(() => parse(argv)), message, argv.join(' '));
  t.end();
});

t.test('numbers keep their bounds', (t) => {
  const args = (text: string) => ({ values: { n: text }, positionals: [] });
  t.equal(numberOf(args('2.5'), 'n', { min: 0, max: 3 }), 2.5);
  t.equal(numberOf({ values: {}, positionals: [] }, 'n', { min: 0, max: 3 }), undefined);
  for (const text of ['', ' ', '3.1', '-1', 'x', 'NaN', 'Infinity', '1e999'])
    t.match(refusal(() => numberOf(args(text), 'n', { min: 0, max: 3 })), /--n: got .*, expected a number from 0 to 3/, JSON.stringify(text));
  t.match(refusal(() => numberOf(args('1.5'), 'n', { min: 0, max: 3, integer: true })), /expected a whole number/);
  t.end();
});

t.test('the source follows from the options, contradictions are refused', (t) => {
  t.same(sourceOf(parse([])), { kind: 'simulation' });
  t.same(sourceOf(parse(['--no-source'])), { kind: 'none' });
  t.same(sourceOf(parse(['--rate', '50', '--seed', '7', '--history-days', '90'])), { kind: 'simulation', rate: 50, seed: 7, historyDays: 90 });
  t.same(
    sourceOf(parse(['--events', 'a.csv', '--history', '0.5', '--speed', '3600', '--map', 'amount=total', '--map', 'event_time=at'])),
    { kind: 'file', file: 'a.csv', history: 0.5, speed: 3600, again: false, map: { amount: 'total', event_time: 'at' } },
  );
  t.match(refusal(() => sourceOf(parse(['--history', '0.5']))), /--history: expected --events FILE/);
  t.match(refusal(() => sourceOf(parse(['--events', 'a', '--rate', '5']))), /--rate is for the simulation/);
  t.match(refusal(() => sourceOf(parse(['--no-source', '--events', 'a']))), /contradict/);
  t.match(refusal(() => sourceOf(parse(['--no-source', '--seed', '1']))), /contradict/);
  t.match(refusal(() => sourceOf(parse(['--events', 'a', '--history', '1.5']))), /from 0 to 1/);
  t.end();
});

t.test('--map names a field and a column', (t) => {
  t.same(mapOf(['properties=extra=1']), { properties: 'extra=1' });
  for (const text of ['amount', '=x', 'amount=']) t.match(refusal(() => mapOf([text])), /expected FIELD=COLUMN/, text);
  t.match(refusal(() => mapOf(['price=total'])), /one of event_id/);
  t.end();
});

t.test('every command has a help with its options and an example of itself', (t) => {
  const all = overview(COMMANDS);
  t.equal(new Set(COMMANDS.map(({ name }) => name)).size, COMMANDS.length, 'names are unique');
  for (const command of COMMANDS) {
    const help = commandHelp(command);
    t.match(all, new RegExp(`^  ${command.name} `, 'm'), `${command.name} is in the overview`);
    for (const name of Object.keys(command.options)) t.ok(help.includes(`--${name}`), `${command.name} --${name}`);
    t.ok(command.examples.some(([line]) => line.includes(`tidemark ${command.name}`)), `${command.name} has an example`);
    t.same(parseCommandLine(command, ['--help']), { help: true });
    t.same(parseCommandLine(command, ['-h']), { help: true });
  }
  t.end();
});

t.test('only a near word is suggested', (t) => {
  t.equal(closest('dcotor', ['doctor', 'sql']), 'doctor');
  t.equal(closest('sqll', ['doctor', 'sql']), 'sql');
  t.equal(closest('weather', ['doctor', 'sql']), undefined);
  t.equal(closest('x', []), undefined);
  t.end();
});
