import { tokens, type Token } from './sql-text.js';

/** An INSERT that carries its data, taken apart so that the data can be read from a file. */
export interface InsertText {
  /** `INSERT INTO t (a, b)`. */
  readonly target: string;
  /** `SETTINGS a = 1`, or nothing. */
  readonly settings: string;
  /** Undefined where the text ends before FORMAT or VALUES. */
  readonly format: string | undefined;
  /** Where the data begins in the text. */
  readonly dataAt: number;
}

/**
 * Takes an INSERT apart.
 * @returns undefined for INSERT … SELECT and INSERT … FROM INFILE, which are statements like any other
 */
export function parseInsert(sql: string): InsertText | undefined {
  const list = new Lookahead(sql);
  list.take(); // INSERT
  let depth = 0;
  let targetEnd: number | undefined;
  let settings = '';
  for (let token = list.peek(); token !== undefined; token = list.peek()) {
    if (token.kind === 'mark' && (token.text === '(' || token.text === '{')) depth++;
    if (token.kind === 'mark' && (token.text === ')' || token.text === '}')) depth--;
    const keyword = depth === 0 && token.kind === 'word' && list.previous?.text !== '.' ? token.text.toUpperCase() : '';
    if (keyword === 'SELECT' || keyword === 'WITH' || keyword === 'INFILE' || keyword === 'WATCH' || keyword === 'EXPLAIN') return undefined;
    // A table may be called `format` or `values`: as the target's own name it follows INTO or TABLE.
    const isName = /^(?:INTO|TABLE|FUNCTION)$/i.test(list.previous?.text ?? '');
    if (!isName && keyword === 'SETTINGS') {
      targetEnd ??= token.at;
      settings = list.settings();
      continue;
    }
    if (!isName && keyword === 'VALUES')
      return { target: sql.slice(0, targetEnd ?? token.at).trimEnd(), settings, format: 'Values', dataAt: token.at + token.text.length };
    if (!isName && keyword === 'FORMAT') {
      targetEnd ??= token.at;
      list.take();
      const format = list.take();
      if (format?.kind !== 'word') return undefined;
      let end = format.at + format.text.length;
      if (settings === '' && list.peek()?.kind === 'word' && list.peek()?.text.toUpperCase() === 'SETTINGS') {
        settings = list.settings();
        end = list.end;
      }
      return { target: sql.slice(0, targetEnd).trimEnd(), settings, format: format.text, dataAt: afterLineEnd(sql, end) };
    }
    list.take();
  }
  return { target: sql.slice(0, targetEnd ?? sql.length).trimEnd().replace(/;$/, ''), settings, format: undefined, dataAt: sql.length };
}

/** The data begins after blanks and one line end: what follows may be white space that counts. */
function afterLineEnd(sql: string, at: number): number {
  let i = at;
  while (sql[i] === ' ' || sql[i] === '\t' || sql[i] === '\f') i++;
  if (sql[i] === '\r') i++;
  if (sql[i] === '\n') i++;
  return i;
}

class Lookahead {
  previous: Token | undefined;
  /** Where the last taken token ended. */
  end = 0;
  private readonly source: Iterator<Token>;
  private next: Token | undefined;
  constructor(private readonly sql: string) {
    this.source = tokens(sql);
    this.next = this.pull();
  }

  peek(): Token | undefined { return this.next; }

  take(): Token | undefined {
    const token = this.next;
    if (token === undefined) return undefined;
    this.previous = token;
    this.end = token.at + token.text.length + (token.kind === 'string' || token.kind === 'quoted' ? 2 : 0);
    this.next = this.pull();
    return token;
  }

  /** Takes `SETTINGS name = value, …` and returns its text. */
  settings(): string {
    const start = this.next?.at ?? 0;
    this.take();
    for (;;) {
      this.take(); // name
      this.take(); // =
      this.take(); // value, or its sign
      if (/^[-+]$/.test(this.previous?.text ?? '')) this.take();
      if (this.next?.text !== ',') return this.sql.slice(start, this.end);
      this.take();
    }
  }

  private pull(): Token | undefined {
    const step = this.source.next();
    return step.done === true ? undefined : step.value;
  }
}
