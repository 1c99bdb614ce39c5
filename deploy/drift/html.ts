import type { DriftBasis, DriftStatistic, Measurement } from '../../schemas/drift/measurement.js';
import { bucketsOf, type Bucket } from '../../schemas/drift/buckets.js';
import type { Distribution } from '../../stream-processors/drift/report.js';
import { day, rule, summariesOf, type DriftReport, type FeatureSummary } from './summary.js';

const BUCKETS = 40;
const PLOT = { width: 420, height: 130, left: 6, bottom: 18, top: 6 } as const;
const FIGURES: readonly (readonly [DriftStatistic, string])[] = [
  ['psi', 'PSI'], ['ks', 'Kolmogorov-Smirnov'], ['jensen_shannon', 'Jensen-Shannon'], ['wasserstein_normed', 'Wasserstein / sd'], ['hellinger', 'Hellinger'],
  ['chi_square', 'chi-square'], ['missing_rate', 'missing'], ['out_of_range_rate', 'out of range'], ['new_category_rate', 'new values'], ['domain_auc', 'domain classifier AUC'],
];
const TITLES: Readonly<Record<DriftBasis, string>> = { reference: 'Against the model’s training rows', previous: 'Against the window before' };
const BASES: Readonly<Record<DriftBasis, string>> = { reference: 'reference', previous: 'window before' };

const STYLE = `
:root { --ink: #1c2430; --faint: #5c6675; --line: #d9dee5; --paper: #fff; --card: #f7f8fa; --base: #7a8699; --now: #0b6bcb; --drift: #b3261e; --watch: #9a5b00; --steady: #1d6b3a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --faint: #9aa5b5; --line: #343c48; --paper: #14181e; --card: #1b2129; --base: #8d99ab; --now: #5aa9ff; --drift: #ff8a80; --watch: #ffc266; --steady: #7fd19b; } }
* { box-sizing: border-box } body { margin: 0 auto; padding: 24px; max-width: 1320px; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 22px; margin: 0 0 4px } h2 { font-size: 18px; margin: 32px 0 12px } h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere } p { margin: 4px 0; color: var(--faint) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 12px } .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px }
.card header { display: flex; justify-content: space-between; gap: 8px } .level { font-weight: 600; white-space: nowrap } .drift { color: var(--drift) } .watch { color: var(--watch) } .steady { color: var(--steady) }
svg { width: 100%; height: auto; display: block } .base { fill: var(--base); fill-opacity: .45 } .now { fill: none; stroke: var(--now); stroke-width: 1.6 } .axis { stroke: var(--line) } svg text { font-size: 11px; fill: var(--faint) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: 13px } th, td { padding: 4px 8px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap } th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
.key span { display: inline-block; width: 14px; height: 10px; margin: 0 4px 0 12px; vertical-align: baseline } .key .b { background: var(--base); opacity: .6 } .key .n { border-top: 2px solid var(--now); height: 4px }
`;

/** The report as one page that needs nothing else: a plot of each feature and every figure. @param made when, epoch milliseconds */
export function htmlReport(report: DriftReport, made: number): string {
  const { request } = report;
  const title = `Drift of ${request.model} ${request.modelVersion}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title><style>${STYLE}</style></head>
<body><h1>${escape(title)}</h1>
<p>${day(request.window.from)} to ${day(request.window.to)} UTC; the window before: ${day(request.previous.from)} to ${day(request.previous.to)}. Made ${day(made)}.</p>
<p>${escape(rule(report))}.</p>
${(['reference', 'previous'] as const).map((against) => section(report, against)).join('\n')}
</body></html>
`;
}

function section(report: DriftReport, against: DriftBasis): string {
  const summaries = summariesOf(report, against);
  if (summaries.length === 0) return `<h2>${TITLES[against]}</h2><p>Nothing to compare.</p>`;
  const plots = summaries.filter(({ segment, feature }) => segment === '' && report.distributions.some((one) => one.feature === feature && one.against === against));
  return `<h2>${TITLES[against]}</h2>
<p class="key"><span class="b"></span>${BASES[against]}<span class="n"></span>window</p>
<div class="cards">${plots.map((one) => card(one, report.distributions.find((each) => each.feature === one.feature && each.against === against)!)).join('\n')}</div>
<h2>Figures</h2><div class="scroll"><table><thead><tr><th>feature</th><th></th>${FIGURES.map(([, name]) => `<th>${name}</th>`).join('')}<th>rows</th><th>${BASES[against]}</th></tr></thead>
<tbody>${summaries.map(row).join('\n')}</tbody></table></div>`;
}

function card({ feature, level, figures }: FeatureSummary, distribution: Distribution): string {
  const { psi, ks, missing_rate } = figures;
  const facts = [psi && `PSI ${psi.value.toFixed(3)}`, ks && `KS ${ks.value.toFixed(3)}${chance(ks)}`, missing_rate && `missing ${percent(missing_rate.value)} (${percent(missing_rate.baseline)})`].filter(Boolean);
  return `<div class="card"><header><h3>${escape(feature)}</h3><span class="level ${level}">${level}</span></header>
${plot(feature, bucketsOf(distribution.values, distribution.reference, distribution.window, BUCKETS))}<p>${facts.join(' · ')}</p></div>`;
}

/** The base as bars, the window as a line of steps, on one scale. */
function plot(feature: string, buckets: readonly Bucket[]): string {
  if (buckets.length === 0) return '<p>Only missing values.</p>';
  const top = Math.max(...buckets.flatMap((one) => [one.reference, one.window]), 1e-9);
  const step = (PLOT.width - 2 * PLOT.left) / buckets.length;
  const floor = PLOT.height - PLOT.bottom;
  const x = (i: number): string => (PLOT.left + i * step).toFixed(1);
  const y = (share: number): string => (floor - (share / top) * (floor - PLOT.top)).toFixed(1);
  const bars = buckets.map((one, i) => `<rect class="base" x="${x(i)}" y="${y(one.reference)}" width="${Math.max(step - 0.6, 0.5).toFixed(1)}" height="${(floor - Number(y(one.reference))).toFixed(1)}"/>`).join('');
  const line = buckets.map((one, i) => `${i === 0 ? 'M' : 'L'}${x(i)} ${y(one.window)}H${x(i + 1)}`).join('');
  return `<svg viewBox="0 0 ${PLOT.width} ${PLOT.height}" role="img" aria-label="${escape(`${feature}: shares of the reference and of the window`)}">${bars}<path class="now" d="${line}"/>
<line class="axis" x1="${PLOT.left}" x2="${PLOT.width - PLOT.left}" y1="${floor}" y2="${floor}"/><text x="${PLOT.left}" y="${PLOT.height - 4}">${short(buckets[0]!.from)}</text><text x="${PLOT.width - PLOT.left}" y="${PLOT.height - 4}" text-anchor="end">${short(buckets.at(-1)!.to)}</text></svg>`;
}

function row({ feature, segment, level, figures }: FeatureSummary): string {
  const cells = FIGURES.map(([name]) => {
    const one = figures[name];
    return `<td>${one === undefined ? '' : `${name.endsWith('_rate') ? percent(one.value) : one.value.toPrecision(3)}${chance(one)}`}</td>`;
  });
  const rows = Object.values(figures);
  return `<tr><td>${escape(feature)}${segment === '' ? '' : ` <small>${escape(segment)}</small>`}</td><td class="level ${level}">${level}</td>${cells.join('')}<td>${Math.max(...rows.map((one) => one.n))}</td><td>${Math.max(...rows.map((one) => one.n_reference))}</td></tr>`;
}

const chance = ({ p }: Measurement): string => (p === null ? '' : ` <small>p ${p === 0 ? '0' : p < 0.001 ? p.toExponential(0) : p.toFixed(3)}</small>`);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const short = (value: number): string => (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(Number(value.toPrecision(3))));
const escape = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
