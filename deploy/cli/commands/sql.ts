import { finished } from 'node:stream/promises';
import { type Command, listOf, textOf, UsageError } from '../command.js';

export const sql: Command = {
  name: 'sql',
  summary: 'Run one SQL statement in ClickHouse and print the answer',
  description: 'Uses the ClickHouse of the tidemark up that runs on DATA_DIR, or CLICKHOUSE_URL. Without an argument, or with -, the statement is read from standard input.',
  positionals: { usage: '[STATEMENT]', min: 0, max: 1 },
  options: {
    format: { type: 'string', short: 'f', value: 'FORMAT', description: 'ClickHouse output format (default PrettyCompact on a terminal, TabSeparatedWithNames otherwise)' },
    param: { type: 'string', short: 'p', value: 'NAME=VALUE', multiple: true, description: 'value of {NAME:Type} in the statement; may be repeated' },
  },
  examples: [
    ['tidemark sql "SELECT count(), max(event_time) FROM events"', 'how much has landed'],
    ['tidemark sql -f JSONEachRow -p id=c1 "SELECT * FROM predictions WHERE customer_id = {id:String} ORDER BY scored_at DESC LIMIT 5"', 'a customer’s latest scores'],
  ],
  async run(args) {
    const [{ settingsOfRunning }, { openSql }] = await Promise.all([import('../../endpoints.js'), import('../../sql.js')]);
    const given = args.positionals[0] ?? '-';
    const statement = given === '-' ? await readInput() : given;
    if (statement.trim() === '') throw new UsageError('got an empty statement, expected SQL as the argument or on standard input');
    const parameters = Object.fromEntries(listOf(args, 'param').map(splitParameter));
    const format = textOf(args, 'format') ?? (process.stdout.isTTY ? 'PrettyCompact' : 'TabSeparatedWithNames');
    const answer = await openSql(settingsOfRunning(), statement, { format, parameters });
    answer.pipe(process.stdout, { end: false });
    await finished(answer);
    return 0;
  },
};

function splitParameter(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--param: got ${JSON.stringify(text)}, expected NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

async function readInput(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const piece of process.stdin as AsyncIterable<string>) text += piece;
  return text;
}
