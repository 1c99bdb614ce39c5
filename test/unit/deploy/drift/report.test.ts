import t from 'tap';
import { htmlReport } from '../../../../deploy/drift/html.js';
import { summariesOf, type DriftReport } from '../../../../deploy/drift/summary.js';
import { terminalReport } from '../../../../deploy/drift/terminal.js';
import type { DriftStatistic, Measurement } from '../../../../schemas/drift/measurement.js';

const DAY = 86_400_000;
const FROM = Date.UTC(2026, 0, 10);
const figure = (feature: string, statistic: DriftStatistic, value: number, more: Partial<Measurement> = {}): Measurement =>
  ({ feature, segment: '', against: 'reference', statistic, value, baseline: 0, p: 0.5, degrees: 9, n: 1200, n_reference: 34_000, ...more });
const report: DriftReport = {
  request: { model: 'churn', modelVersion: 'v<1>', window: { from: FROM, to: FROM + DAY }, previous: { from: FROM - DAY, to: FROM }, segments: [] },
  measurements: [
    figure('calm', 'psi', 0.01), figure('calm', 'ks', 0.02), figure('moved', 'psi', 0.31), figure('moved', 'ks', 0.4, { p: 1e-30 }), figure('near', 'psi', 0.15),
    figure('gone', 'missing_rate', 1, { baseline: 0.02 }), figure('moved', 'psi', 0.5, { segment: 'channel=web' }), figure('calm', 'psi', 0.9, { against: 'previous' }),
  ],
  distributions: [
    { feature: 'moved', against: 'reference', values: [0, 1, 2], reference: [4, 4, 0], window: [0, 0, 9], missing_reference: 0, missing: 0 },
    { feature: 'gone', against: 'reference', values: [], reference: [], window: [], missing_reference: 5, missing: 5 },
  ],
  verdicts: [],
};

t.test('the largest shift stands first, segments last; levels are the classic ones', async (t) => {
  t.same(summariesOf(report, 'reference').map(({ feature, segment, level }) => [feature, segment, level]), [
    ['gone', '', 'drift'], ['moved', '', 'drift'], ['near', '', 'watch'], ['calm', '', 'steady'], ['moved', 'channel=web', 'drift'],
  ]);
});

t.test('verdicts of the service stand above the classic thresholds', async (t) => {
  const judged = { ...report, verdicts: [{ feature: 'calm', segment: '', against: 'reference' as const, statistic: 'psi', verdict: 'beyond', threshold: 0.005 }, { feature: 'moved', segment: '', against: 'reference' as const, statistic: 'psi', verdict: 'quiet', threshold: 0.4 }] };
  t.match(Object.fromEntries(summariesOf(judged, 'reference').filter(({ segment }) => segment === '').map(({ feature, level }) => [feature, level])), { calm: 'drift', moved: 'steady' });
});

t.test('the table: a line a feature, bars on one axis', async (t) => {
  const text = terminalReport(report, 'reference', false);
  t.match(text, /churn v<1>: 2026-01-10 00:00 to 2026-01-11 00:00 UTC against the model’s training rows/);
  t.match(text, /^moved +drift +0\.310 +0\.400 +1e-30 .*▅▅ {2,}.*█/m);
  t.match(text, /1,200 predictions, 34,000 rows/);
  t.notMatch(text, /NaN|undefined|\u001B/);
  t.match(terminalReport(report, 'reference', true), /\u001B\[31mdrift/);
  t.match(terminalReport({ ...report, measurements: [] }, 'reference', false), /nothing to compare/);
});

t.test('the page needs nothing else and takes no markup from data', async (t) => {
  const page = htmlReport(report, FROM + DAY);
  t.notMatch(page, /<script|https?:|src=|<link|NaN|undefined/);
  t.notMatch(page, /v<1>/, 'a version is text');
  t.match(page, /v&#60;1&#62;/);
  t.equal([...page.matchAll(/<svg /g)].length, 1);
  t.match(page, /Only missing values/);
});
