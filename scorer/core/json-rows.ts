/**
 * Reads rows of numbers out of JSON text in UTF-8 without making objects of it: the usual bodies only. What it does not know
 * it leaves alone, so that the general path decides and says what is wrong. Values are those of JSON.parse, as float32.
 */
export interface RowReader {
  /** Where the last row that was read ends. */
  readonly end: number;
  /**
   * Reads `[v, …]`, exactly as many values as the view has, null where one is missing.
   * @param at index of the row's first byte or of white space before it
   * @param out receives float32 values from index `to` on; undefined contents where the answer is false
   * @returns false where it is anything else
   */
  array(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean;
  /** The same for `{"name": v, …}` with all names in view order. */
  object(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean;
  /** The same for a row however it is written: `[…]`, `{"features": […]}` or `{"features": {…}}`. */
  row(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean;
  /** A whole body that is one row: nothing but white space follows. */
  body(bytes: Uint8Array, limit: number, out: Float32Array, to: number): boolean;
}

const FLOAT32_MAX = 3.4028234663852886e38;
/** Below it every integer is a double, and so is every power of ten up to 22: their quotient is rounded once, as JSON.parse rounds. */
const EXACT_MAX = 2 ** 53;
const DIGITS_EXACT = 15;
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const QUOTE = 0x22, COMMA = 0x2c, MINUS = 0x2d, DOT = 0x2e, ZERO = 0x30, NINE = 0x39, COLON = 0x3a, OPEN = 0x5b, CLOSE = 0x5d, LOWER_N = 0x6e, BRACE = 0x7b, UNBRACE = 0x7d;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

export function createRowReader(names: readonly string[]): RowReader {
  const count = names.length;
  const keys = names.map((name) => Uint8Array.from(`"${name}"`, (letter) => letter.charCodeAt(0)));
  const features = Uint8Array.from('"features"', (letter) => letter.charCodeAt(0));
  /** After what was read last. */
  let pos = 0;

  function skip(bytes: Uint8Array, at: number, limit: number): number {
    while (at < limit && isSpace(bytes[at] as number)) at++;
    return at;
  }

  function matches(bytes: Uint8Array, at: number, limit: number, key: Uint8Array): boolean {
    if (at + key.length > limit) return false;
    for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return false;
    return true;
  }

  /** Reads a number or null at `at`, moves `pos` behind it. @returns false where it is neither, or beyond float32 */
  function value(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean {
    let c = bytes[at] as number;
    const start = at;
    const negative = c === MINUS;
    if (negative) c = bytes[++at] as number;
    if (at >= limit || c < ZERO || c > NINE) return !negative && c === LOWER_N && isNull(bytes, at, limit, out, to);
    let mantissa = 0;
    const first = at;
    while (at < limit && (c = bytes[at] as number) >= ZERO && c <= NINE) {
      mantissa = mantissa * 10 + (c - ZERO);
      at++;
    }
    if (at - first > 1 && bytes[first] === ZERO) return false;
    let digits = at - first;
    let decimals = 0;
    if (at < limit && c === DOT) {
      const from = ++at;
      while (at < limit && (c = bytes[at] as number) >= ZERO && c <= NINE) {
        mantissa = mantissa * 10 + (c - ZERO);
        at++;
      }
      decimals = at - from;
      if (decimals === 0) return false;
      digits += decimals;
    }
    if (at < limit && (c === 0x65 || c === 0x45)) return text(bytes, start, at, limit, out, to);
    if (digits > DIGITS_EXACT && (mantissa >= EXACT_MAX || decimals > 22)) return text(bytes, start, at, limit, out, to);
    pos = at;
    const number = mantissa / (POWERS[decimals] as number);
    if (number > FLOAT32_MAX) return false;
    out[to] = negative ? -number : number;
    return true;
  }

  /** A number with an exponent or many digits: its grammar is checked here, its value is JavaScript's own. */
  function text(bytes: Uint8Array, start: number, at: number, limit: number, out: Float32Array, to: number): boolean {
    if (at < limit && ((bytes[at] as number) | 0x20) === 0x65) {
      at++;
      if (bytes[at] === MINUS || bytes[at] === 0x2b) at++;
      const from = at;
      while (at < limit && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
      if (at === from) return false;
    }
    let digits = '';
    for (let i = start; i < at; i++) digits += String.fromCharCode(bytes[i] as number);
    const number = Number(digits);
    if (!(Math.abs(number) <= FLOAT32_MAX)) return false;
    out[to] = number;
    pos = at;
    return true;
  }

  function isNull(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean {
    if (at + 4 > limit || bytes[at + 1] !== 0x75 || bytes[at + 2] !== 0x6c || bytes[at + 3] !== 0x6c) return false;
    out[to] = Number.NaN;
    pos = at + 4;
    return true;
  }

  function array(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean {
    at = skip(bytes, at, limit);
    if (at >= limit || bytes[at] !== OPEN) return false;
    at++;
    for (let i = 0; i < count; i++) {
      if (isSpace(bytes[at] as number)) at = skip(bytes, at, limit);
      if (at >= limit || !value(bytes, at, limit, out, to + i)) return false;
      at = pos;
      if (isSpace(bytes[at] as number)) at = skip(bytes, at, limit);
      if (at >= limit || bytes[at] !== (i === count - 1 ? CLOSE : COMMA)) return false;
      at++;
    }
    pos = at;
    return true;
  }

  function object(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean {
    at = skip(bytes, at, limit);
    if (at >= limit || bytes[at] !== BRACE) return false;
    at++;
    for (let i = 0; i < count; i++) {
      at = skip(bytes, at, limit);
      const key = keys[i] as Uint8Array;
      if (!matches(bytes, at, limit, key)) return false;
      at = skip(bytes, at + key.length, limit);
      if (at >= limit || bytes[at] !== COLON) return false;
      at = skip(bytes, at + 1, limit);
      if (at >= limit || !value(bytes, at, limit, out, to + i)) return false;
      at = skip(bytes, pos, limit);
      if (at >= limit || bytes[at] !== (i === count - 1 ? UNBRACE : COMMA)) return false;
      at++;
    }
    pos = at;
    return true;
  }

  function row(bytes: Uint8Array, at: number, limit: number, out: Float32Array, to: number): boolean {
    at = skip(bytes, at, limit);
    if (at >= limit || bytes[at] !== BRACE) return array(bytes, at, limit, out, to);
    at = skip(bytes, at + 1, limit);
    if (at >= limit || bytes[at] !== QUOTE || !matches(bytes, at, limit, features)) return false;
    at = skip(bytes, at + features.length, limit);
    if (at >= limit || bytes[at] !== COLON) return false;
    at = skip(bytes, at + 1, limit);
    if (at >= limit || !(bytes[at] === BRACE ? object(bytes, at, limit, out, to) : array(bytes, at, limit, out, to))) return false;
    at = skip(bytes, pos, limit);
    if (at >= limit || bytes[at] !== UNBRACE) return false;
    pos = at + 1;
    return true;
  }

  return {
    get end() { return pos; },
    array, object, row,
    body: (bytes, limit, out, to) => row(bytes, 0, limit, out, to) && skip(bytes, pos, limit) === limit,
  };
}
