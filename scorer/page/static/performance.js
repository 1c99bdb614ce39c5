// @ts-check
/** Performance: what came of the scores, and before that what is to be expected of them. */
import { day, span } from './format.js';
import { panel, rowsOf, sectionOf } from './panel.js';
import { linePath, plot, table } from './plots.js';
import { state } from './state.js';
import { h } from './vdom.js';

/** @typedef {import('./vdom.js').Child} Child */
/** @typedef {{ kind: string, metric: string, from: number, to: number, value: number, low: number | null, high: number | null, n: number }} Row */

const METRICS = /** @type {const} */ ([['log_loss', 'Log loss', 'lower is better'], ['auc', 'AUC', 'higher is better']]);

export function performance() {
  const rows = /** @type {Row[]} */ (rowsOf('performance'));
  const realised = rows.filter(({ kind }) => kind === 'realised');
  const { horizon_days } = state.overview.about;
  return panel({
    id: 'performance', title: 'Performance', section: sectionOf('performance'), hasData: rows.length > 0,
    note: realised.length > 0 ? `labels up to ${day(Math.max(...realised.map(({ to }) => to)) - 1)}; after that estimated from the scores` : 'estimated from the scores until labels are there',
    empty: [h('p', null, `Whether scores were right is known ${horizon_days} days of event time after them.`), h('p', null, 'Estimates come with the first whole window of PERFORMANCE_WINDOW_H.')],
    table: () => table('Performance by window', ['window', 'figure', 'came', 'estimate', '95 % interval', 'rows'], pairs(rows).map(({ metric, from, to, came, estimate }) => [
      span(from, to), METRICS.find(([name]) => name === metric)?.[1] ?? metric, came?.value.toFixed(3) ?? '–', estimate?.value.toFixed(3) ?? '–', estimate?.low == null ? '–' : `${estimate.low.toFixed(3)} to ${estimate.high?.toFixed(3)}`, String((came ?? estimate)?.n ?? 0)])),
    body: () => h('div.pair', null, ...METRICS.map((metric) => chart(metric, rows))),
  });
}

/** @param {Row[]} rows */
function pairs(rows) {
  /** @type {Map<string, { metric: string, from: number, to: number, came?: Row, estimate?: Row }>} */
  const found = new Map();
  for (const row of rows) {
    const key = `${row.metric} ${row.from}`;
    const pair = found.get(key) ?? { metric: row.metric, from: row.from, to: row.to };
    pair[row.kind === 'realised' ? 'came' : 'estimate'] = row;
    found.set(key, pair);
  }
  return [...found.values()].sort((a, b) => b.from - a.from || (a.metric < b.metric ? 1 : -1));
}

/** @param {readonly [string, string, string]} metric @param {Row[]} rows */
function chart([name, title, better], rows) {
  const course = pairs(rows.filter(({ metric }) => metric === name)).reverse();
  if (course.length === 0) return h('div.chart-box', null, h('h3', null, title), h('p.empty', null, 'Not defined yet: it takes both outcomes.'));
  const all = course.flatMap(({ came, estimate }) => [came?.value, estimate?.value, estimate?.low, estimate?.high]).filter((value) => value !== undefined && value !== null);
  const [low, high] = [Math.min(.../** @type {number[]} */ (all)), Math.max(.../** @type {number[]} */ (all))];
  const room = (high - low) * 0.08 || 0.01;
  const y = (/** @type {number} */ value) => 100 - (100 * (value - low + room)) / (high - low + 2 * room);
  const x = (/** @type {number} */ i) => (100 * i) / Math.max(1, course.length - 1);
  const band = course.map(({ estimate }, i) => ({ i, estimate })).filter(({ estimate }) => estimate?.low != null && estimate.high != null);
  const edge = (/** @type {'low' | 'high'} */ side) => band.map(({ i, estimate }) => `${x(i).toFixed(2)} ${y(estimate?.[side] ?? 0).toFixed(2)}`);
  const [came, estimate] = [course.findLast((one) => one.came)?.came, course.at(-1)?.estimate];
  return h('div.chart-box', null,
    h('h3', null, title, h('span.faint', null, ` ${better}`)),
    h('p.reading', null, came ? [h('b', null, came.value.toFixed(3)), ' came'] : 'no labels yet', estimate ? [', ', h('b', null, estimate.value.toFixed(3)), ` expected${estimate.low === null ? '' : ` (${estimate.low.toFixed(3)} to ${estimate.high?.toFixed(3)})`}`] : ''),
    h('div.chart', null,
      h('div.axis-y', { 'aria-hidden': 'true' }, h('span', null, high.toFixed(2)), h('span', null, low.toFixed(2))),
      plot(`${title} over ${course.length} windows: ${came ? `${came.value.toFixed(3)} realised last` : 'nothing realised yet'}${estimate ? `, ${estimate.value.toFixed(3)} expected last` : ''}`, 'lines.performance',
        band.length > 1 ? h('path.band', { d: `M${edge('high').join('L')}L${edge('low').reverse().join('L')}Z` }) : null,
        h('path.line.expected', { d: linePath(course.map(({ estimate: one }) => one?.value ?? null), y) }),
        h('path.line.came', { d: linePath(course.map(({ came: one }) => one?.value ?? null), y) })),
      h('div.axis-x', { 'aria-hidden': 'true' }, h('span', null, day(course[0]?.from ?? 0)), h('span', null, day((course.at(-1)?.to ?? 1) - 1)))),
    h('p.legend', { 'aria-hidden': 'true' }, h('span.key.now', null, 'realised'), h('span.key.expected', null, 'estimated, 95 %')));
}
