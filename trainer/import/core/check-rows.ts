/** Rows of a foreign model's own columns with the scores that its trainer computed. */
export interface CheckRows {
  /** The model's columns, in its order. */
  readonly inputs: readonly string[];
  readonly rows: readonly (readonly number[])[];
  /** P(churn) of each row. */
  readonly expected: readonly number[];
}

const MISSING = new Set(['', 'nan', 'na', 'null']);

/**
 * Reads a CSV file with a header. An empty field, NaN, NA and null are a missing value.
 * @param expected the column of the scores
 * @param inputs the model's columns in its order; undefined: all others, in the order of the header
 */
export function parseCheckRows(csv: string, expected: string, inputs: readonly string[] | undefined): CheckRows | { readonly problem: string } {
  const [header, ...lines] = csv.split(/\r?\n/).filter((line) => line.trim() !== '').map((line) => line.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1')));
  if (header === undefined || lines.length === 0) return { problem: 'no rows below a header' };
  const at = header.indexOf(expected);
  if (at < 0) return { problem: `no column ${JSON.stringify(expected)} with the expected scores among ${header.join(', ')}; name it with --expected` };
  const names = inputs ?? header.filter((_, i) => i !== at);
  const places = names.map((name) => header.indexOf(name));
  const absent = names.filter((_, i) => places[i]! < 0);
  if (absent.length > 0) return { problem: `no columns ${absent.join(', ')} among ${header.join(', ')}` };
  const rows: number[][] = [];
  const scores: number[] = [];
  for (const [n, fields] of lines.entries()) {
    const values = places.map((place) => numberOf(fields[place]));
    const bad = values.findIndex((value) => value === undefined);
    if (bad >= 0) return { problem: `line ${n + 2}: ${names[bad]} is ${JSON.stringify(fields[places[bad]!])}, expected a number or nothing` };
    const score = numberOf(fields[at]);
    if (score === undefined || !(score >= 0 && score <= 1)) return { problem: `line ${n + 2}: ${expected} is ${JSON.stringify(fields[at])}, expected a probability from 0 to 1` };
    rows.push(values as number[]);
    scores.push(score);
  }
  return { inputs: names, rows, expected: scores };
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (MISSING.has(text.toLowerCase())) return NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
