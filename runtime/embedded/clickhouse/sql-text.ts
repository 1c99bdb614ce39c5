/** One token of ClickHouse SQL; comments and white space are skipped. `text` of a quoted identifier is without its quotes. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'mark';
  readonly text: string;
  readonly at: number;
}

const SPACE = /\s/;
const WORD_START = /[\p{L}_]/u;
const WORD_PART = /[\p{L}\p{N}_$]/u;

/** Splits SQL into tokens, lazily, so that the head of a long INSERT costs nothing more than its head. */
export function* tokens(sql: string): Generator<Token> {
  let i = 0;
  while (i < sql.length) {
    const c = sql[i] as string;
    if (SPACE.test(c)) { i++; continue; }
    if (sql.startsWith('--', i) || sql.startsWith('# ', i) || sql.startsWith('#!', i)) {
      const end = sql.indexOf('\n', i);
      i = end < 0 ? sql.length : end + 1;
      continue;
    }
    if (sql.startsWith('/*', i)) {
      const end = sql.indexOf('*/', i + 2);
      i = end < 0 ? sql.length : end + 2;
      continue;
    }
    const at = i;
    if (c === "'" || c === '`' || c === '"') {
      i = endOfQuoted(sql, i);
      yield { kind: c === "'" ? 'string' : 'quoted', text: sql.slice(at + 1, i - 1), at };
    } else if (c === '$') {
      const tag = /^\$\w*\$/.exec(sql.slice(i, i + 128))?.[0];
      const end = tag === undefined ? -1 : sql.indexOf(tag, i + tag.length);
      i = tag === undefined || end < 0 ? i + 1 : end + tag.length;
      yield { kind: i > at + 1 ? 'string' : 'mark', text: sql.slice(at, i), at };
    } else if (WORD_START.test(c)) {
      while (i < sql.length && WORD_PART.test(sql[i] as string)) i++;
      yield { kind: 'word', text: sql.slice(at, i), at };
    } else if (c >= '0' && c <= '9') {
      while (i < sql.length && /[\w.]/.test(sql[i] as string)) i++;
      yield { kind: 'number', text: sql.slice(at, i), at };
    } else {
      i++;
      yield { kind: 'mark', text: c, at };
    }
  }
}

function endOfQuoted(sql: string, start: number): number {
  const quote = sql[start] as string;
  for (let i = start + 1; i < sql.length; i++) {
    if (sql[i] === '\\') i++;
    else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  return sql.length;
}

/** The first keyword in capitals, opening brackets skipped: what kind of statement this is. */
export function firstKeyword(sql: string): string {
  for (const token of tokens(sql)) {
    if (token.kind === 'mark' && token.text === '(') continue;
    return token.kind === 'word' ? token.text.toUpperCase() : '';
  }
  return '';
}

/** What the HTTP protocol must know of a statement that carries no inline data. */
export interface StatementShape {
  /** The format of its own FORMAT clause. */
  readonly format?: string;
  /** INTO OUTFILE or FROM INFILE: files of the host, read or written outside the tables. */
  readonly hostFile: boolean;
  /** A second statement follows a semicolon. */
  readonly several: boolean;
  /** Names called like a function, in small letters. */
  readonly calls: ReadonlySet<string>;
}

export function shapeOf(sql: string): StatementShape {
  let format: string | undefined;
  let maybe: string | undefined;
  let hostFile = false;
  let several = false;
  let ended = false;
  let depth = 0;
  const calls = new Set<string>();
  let previous: Token | undefined;
  for (const token of tokens(sql)) {
    if (ended) several = true;
    // FORMAT x closes a statement: a column of that name does not.
    if (maybe !== undefined) {
      if (token.text === ';' || token.text.toUpperCase() === 'SETTINGS') format = maybe;
      maybe = undefined;
    }
    if (token.kind === 'mark') {
      if (token.text === '(') {
        depth++;
        if (previous?.kind === 'word' || previous?.kind === 'quoted') calls.add(previous.text.toLowerCase());
      } else if (token.text === ')') depth--;
      else if (token.text === ';') ended = true;
    }
    if (previous?.kind === 'word' && depth === 0) {
      const keyword = previous.text.toUpperCase();
      if (keyword === 'FORMAT' && token.kind === 'word') maybe = token.text;
      const next = token.kind === 'word' ? token.text.toUpperCase() : '';
      if ((keyword === 'INTO' && next === 'OUTFILE') || (keyword === 'FROM' && next === 'INFILE')) hostFile = true;
    }
    previous = token;
  }
  format = maybe ?? format;
  return { ...(format === undefined ? {} : { format }), hostFile, several, calls };
}

export const quoteString = (value: string): string => `'${value.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;
export const quoteName = (name: string): string => `\`${name.replace(/[\\`]/g, '\\$&')}\``;
