import { DEAD_LETTER_REASONS, type DeadLetterReason } from '../../../schemas/events/dead-letter.js';
import { parseIsoTime } from '../../../schemas/events/iso-time.js';
import { type Arguments, type Command, flagOf, listOf, numberOf, textOf, UsageError } from '../command.js';

const LIMIT_MAX = 1_000_000;
const AGO_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const dlq: Command = {
  name: 'dlq',
  summary: 'List, show and send back the records that were refused',
  description:
    'list shows the latest dead letters and counts them by reason; show prints one with its headers and bytes; redrive sends letters back to customer-events ' +
    'with untouched key, value and headers. Each letter goes back once, however often redrive runs; letters that would fail again stay, unless --force is given.',
  positionals: { usage: 'list | show PARTITION:OFFSET | redrive [PARTITION:OFFSET …]', min: 1, max: 1000 },
  options: {
    reason: { type: 'string', value: 'REASON', multiple: true, description: `only letters of this reason; may be repeated (${DEAD_LETTER_REASONS.join(', ')})` },
    since: { type: 'string', value: 'TIME', description: 'only letters that failed since then: ISO 8601 with zone, or 30m, 2h, 7d ago' },
    until: { type: 'string', value: 'TIME', description: 'only letters that failed before then' },
    limit: { type: 'string', value: 'N', description: 'most letters listed (default 50) or sent back (default all)' },
    json: { type: 'boolean', description: 'list as JSON lines' },
    'dry-run': { type: 'boolean', description: 'redrive: count only' },
    force: { type: 'boolean', description: 'redrive: letters that would fail again too' },
  },
  examples: [
    ['tidemark dlq list --reason rule_broken --since 2h', 'what broke a rule in the last two hours'],
    ['tidemark dlq show 1:42', 'one letter with its headers and bytes'],
    ['tidemark dlq redrive --reason unknown_schema --dry-run', 'how many would be taken now that the schema is registered'],
  ],
  audited: (args) => (args.positionals[0] === 'redrive' && !flagOf(args, 'dry-run') ? { action: 'dlq.redrive', target: args.positionals.slice(1, 50).join(' ') } : undefined),
  async run(args) {
    const [action, ...ids] = args.positionals;
    const places = ids.map(placeOf);
    const filter = {
      reasons: listOf(args, 'reason').map(reasonOf), sinceMs: timeOf(args, 'since'), untilMs: timeOf(args, 'until'),
      ids: places.length === 0 ? undefined : new Set(places.map(({ partition, offset }) => `${partition}-${offset}`)),
    };
    const limit = numberOf(args, 'limit', { min: 1, max: LIMIT_MAX, integer: true });
    if (action !== 'list' && action !== 'show' && action !== 'redrive') throw new UsageError(`got ${JSON.stringify(action)}, expected list, show or redrive`);
    if (action === 'show' && places.length !== 1) throw new UsageError('show: expected one PARTITION:OFFSET, as list prints it');
    if (action === 'list' && places.length > 0) throw new UsageError('list takes no PARTITION:OFFSET; use show');

    const [{ settingsOfRunning }, { listLetters, redriveLetters, showLetter }, { Log }] = await Promise.all([
      import('../../endpoints.js'), import('../../dead-letters/commands.js'), import('../../../runtime/log.js'),
    ]);
    const settings = settingsOfRunning();
    const log = new Log('dlq', 'warn', (line) => process.stderr.write(line));
    const write = (text: string): void => { process.stdout.write(text); };
    if (action === 'list') await listLetters(settings, log, filter, limit ?? 50, flagOf(args, 'json'), write);
    else if (action === 'show') await showLetter(settings, log, places[0]!.partition, places[0]!.offset, write);
    else await redriveLetters(settings, log, filter, { limit: limit ?? Infinity, dryRun: flagOf(args, 'dry-run'), force: flagOf(args, 'force') }, write);
    return 0;
  },
};

function placeOf(text: string): { partition: number; offset: number } {
  const [, partition, offset] = /^(\d{1,6})[:-](\d{1,16})$/.exec(text) ?? [];
  if (partition === undefined) throw new UsageError(`got ${JSON.stringify(text)}, expected PARTITION:OFFSET`);
  return { partition: Number(partition), offset: Number(offset) };
}

function reasonOf(text: string): DeadLetterReason {
  const reason = DEAD_LETTER_REASONS.find((known) => known === text);
  if (reason === undefined) throw new UsageError(`--reason: got ${JSON.stringify(text)}, expected one of ${DEAD_LETTER_REASONS.join(', ')}`);
  return reason;
}

function timeOf(args: Arguments, name: 'since' | 'until'): number | undefined {
  const text = textOf(args, name);
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const time = unit === undefined ? parseIsoTime(text) : Date.now() - Number(count) * AGO_MS[unit]!;
  if (Number.isNaN(time)) throw new UsageError(`--${name}: got ${JSON.stringify(text)}, expected ISO 8601 with zone (2026-01-15T11:00:00Z) or a time ago (30m, 2h, 7d)`);
  return time;
}
