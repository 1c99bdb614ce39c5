/** A rule that leaves something out of a training, and how much it left out. */
export interface CleaningCount {
  readonly rule: string;
  readonly leaves_out: string;
  readonly count: number;
}

/** Rows, as far as the rules look at them. */
export interface CleanableRows {
  readonly feature_names: readonly string[];
  readonly rows: number;
  readonly values: Float32Array;
  readonly at: Float64Array;
  readonly on_event: Uint8Array;
  readonly customer: Uint32Array;
}

type Rule = { readonly rule: string; readonly leaves_out: string; readonly of: (rows: CleanableRows) => (row: number) => boolean };

/** Each row is left out by the first rule that holds for it. Rules look at no label: what is left out is no choice of outcomes. */
const RULES: readonly Rule[] = [
  { rule: 'infinite', leaves_out: 'rows with an infinite value, which no model can be fitted to', of: ({ feature_names: { length }, values }) => (row) => values.subarray(row * length, (row + 1) * length).some((value) => Math.abs(value) === Infinity) },
  { rule: 'repeated', leaves_out: 'rows that say the same of the same customer at the same moment as the row before', of: repeated },
];
const QUARANTINED = { rule: 'quarantined', leaves_out: 'moments inside quarantined windows' };
const HELD = { rule: 'held_over', leaves_out: 'moments whose features still held broken events of quarantined windows' };

/** Rows come in the order of time and customer, so that repeated ones are neighbours. */
function repeated({ feature_names: { length }, values, at, on_event, customer }: CleanableRows): (row: number) => boolean {
  const same = (row: number): boolean => {
    for (let i = 0; i < length; i++) if (!Object.is(values[row * length + i], values[(row - 1) * length + i])) return false;
    return true;
  };
  return (row) => row > 0 && customer[row] === customer[row - 1] && at[row] === at[row - 1] && on_event[row] === on_event[row - 1] && same(row);
}

/** @param quarantined moments that were left out before their rows were made */
export function cleanRows(rows: CleanableRows, quarantined: { readonly inside: number; readonly held: number }): { keeps: (row: number) => boolean; counts: CleaningCount[] } {
  const tests = RULES.map(({ of }) => of(rows));
  const counts = RULES.map(() => 0);
  const left_out = new Uint8Array(rows.rows);
  for (let row = 0; row < rows.rows; row++) {
    const rule = tests.findIndex((test) => test(row));
    if (rule < 0) continue;
    counts[rule]!++;
    left_out[row] = 1;
  }
  return {
    keeps: (row) => left_out[row] === 0,
    counts: [{ ...QUARANTINED, count: quarantined.inside }, { ...HELD, count: quarantined.held }, ...RULES.map(({ rule, leaves_out }, i) => ({ rule, leaves_out, count: counts[i]! }))],
  };
}
