import type { DriftBasis, Measurement } from '../../schemas/drift/measurement.js';
import { bucketsOf } from '../../schemas/drift/buckets.js';
import { day, rule, summariesOf, type DriftReport, type FeatureSummary } from './summary.js';

const BARS = '▁▂▃▄▅▆▇█';
const BUCKETS = 12;
const BASE_TITLES: Readonly<Record<DriftBasis, string>> = { reference: 'the model’s training rows', previous: 'the window before' };
const COLOURS = { drift: 31, watch: 33, steady: 32 } as const;

/** The report as a table with small distributions: base and window side by side, on one axis and one scale. */
export function terminalReport(report: DriftReport, against: DriftBasis, colour: boolean): string {
  const { request, measurements, distributions } = report;
  const paint = (text: string, code: number): string => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);
  const summaries = summariesOf(report, against).filter((one) => one.feature !== 'multivariate');
  const together = measurements.find((one) => one.statistic === 'domain_auc' && one.against === against);
  const n = (column: 'n' | 'n_reference'): number => Math.max(0, ...measurements.filter((one) => one.against === against && one.segment === '').map((one) => one[column]));
  const head = [
    `${request.model} ${request.modelVersion}: ${day(request.window.from)} to ${day(request.window.to)} UTC against ${BASE_TITLES[against]}`,
    `${n('n').toLocaleString('en')} predictions, ${n('n_reference').toLocaleString('en')} rows of reference`,
    '',
  ];
  if (summaries.length === 0) return [...head, nothing(report, against), ''].join('\n');
  const rows = summaries.map((one) => cells(one, distributions.find((each) => each.feature === one.feature && each.against === against)));
  const titles = ['feature', '', 'PSI', 'KS', 'p', 'W/sd', 'missing', 'new', 'reference', 'window'];
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string => row.map((cell, i) => (i < 2 || i > 7 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd();
  return [
    ...head,
    paint(line(titles), 1),
    ...rows.map((row, i) => line(row).replace(summaries[i]!.level, (level) => paint(level, COLOURS[summaries[i]!.level]))),
    ...(together === undefined ? [] : ['', `all features together: a classifier tells ${together.n} rows of the window from as many of the base with an AUC of ${together.value.toFixed(3)} (p ${probability(together.p)})`]),
    '',
    rule(report),
    '',
  ].join('\n');
}

function cells({ feature, segment, figures, level }: FeatureSummary, distribution: DriftReport['distributions'][number] | undefined): string[] {
  const number = (one: Measurement | undefined): string => (one === undefined ? '–' : one.value.toFixed(3));
  const share = (one: Measurement | undefined): string => (one === undefined ? '–' : `${(100 * one.value).toFixed(1)}%`);
  const buckets = segment === '' && distribution !== undefined ? bucketsOf(distribution.values, distribution.reference, distribution.window, BUCKETS) : [];
  const top = Math.max(...buckets.flatMap((bucket) => [bucket.reference, bucket.window]), 1e-9);
  const bars = (side: 'reference' | 'window'): string => buckets.map((bucket) => (bucket[side] === 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((bucket[side] / top) * BARS.length))]!)).join('');
  return [
    segment === '' ? feature : `${feature} [${segment}]`, level, number(figures.psi), number(figures.ks), probability(figures.ks?.p ?? figures.chi_square?.p), number(figures.wasserstein_normed),
    share(figures.missing_rate), share(figures.new_category_rate), bars('reference'), bars('window'),
  ];
}

const probability = (p: number | null | undefined): string => (p === null || p === undefined ? '–' : p === 0 ? '0' : p < 0.001 ? p.toExponential(0) : p.toFixed(3));

function nothing({ measurements }: DriftReport, against: DriftBasis): string {
  if (measurements.length === 0) return 'nothing to compare: no predictions have landed in this window (tidemark sql "SELECT min(hour), max(hour) FROM prediction_hours")';
  return against === 'reference'
    ? 'nothing to compare: this version was published without a profile of its training rows; --against previous compares with the window before'
    : 'nothing to compare: no predictions have landed in the window before; --against reference compares with the training rows';
}
