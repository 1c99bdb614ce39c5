// @ts-check
/** Drift: each feature, as it was in training and as it is now. */
import { day, number, percent, plain, span } from './format.js';
import { panel } from './panel.js';
import { spark, table, twoShapes } from './plots.js';
import { state } from './state.js';
import { h } from './vdom.js';

/** @typedef {import('./vdom.js').Child} Child */

const MODES = /** @type {Record<string, string>} */ ({ calibrating: 'learning what is usual', quiet: 'quiet', suspect: 'looking closer', alarmed: 'drift' });
/** The classic marks of the population stability index, for the order and the shade where nothing was judged. */
const PSI_WATCH = 0.1;

/** @param {any} feature */
function levelOf({ verdicts, psi }) {
  if (verdicts.includes('beyond')) return 'drift';
  if (verdicts.includes('held')) return 'held';
  return latest(psi) >= PSI_WATCH ? 'watch' : 'steady';
}
const WORDS = /** @type {Record<string, string>} */ ({ drift: 'beyond its threshold', held: 'moved, data under suspicion', watch: 'some distance', steady: 'steady' });
/** @param {[number, number][]} psi */
const latest = (psi) => psi.at(-1)?.[1] ?? 0;
const RANK = /** @type {Record<string, number>} */ ({ drift: 0, held: 1, watch: 2, steady: 3 });

export function drift() {
  const section = state.drift?.drift;
  const look = section?.value?.look;
  const descriptions = new Map(state.overview.about.features.map((/** @type {any} */ { name, description }) => [name, description]));
  const features = [...(section?.value?.features ?? [])].map((one) => ({ ...one, level: levelOf(one) }))
    .sort((a, b) => Number(b.feature === 'score') - Number(a.feature === 'score') || (RANK[a.level] ?? 9) - (RANK[b.level] ?? 9) || latest(b.psi) - latest(a.psi));
  const beyond = features.filter(({ level }) => level === 'drift').length;
  return panel({
    id: 'drift', title: 'Drift by feature', section: section ?? { at: null, value: null }, hasData: look !== undefined && look !== null && features.length > 0,
    note: look ? [h('b', { class: beyond > 0 ? 'risk' : null }, beyond > 0 ? `${beyond} beyond their thresholds` : MODES[look.mode] ?? look.mode), `, ${span(look.from, look.to)} against ${features[0]?.against === 'previous' ? 'the window before' : 'training'}`] : null,
    empty: [h('p', null, 'The drift service has not looked at a window yet.'), h('p', null, 'It does once DRIFT_WINDOW_H of event time have landed.')],
    table: () => table(`Features in ${span(look.from, look.to)}, production against reference`, ['feature', 'PSI', 'KS', 'missing', 'in reference', 'rows', 'verdict'],
      features.map((one) => [plain(one.feature), latest(one.psi).toFixed(3), one.ks.toFixed(3), percent(one.missing), percent(one.missing_reference), number(one.n), WORDS[one.level] ?? ''])),
    body: () => [
      look.alerts.length === 0 ? null : h('p.notice-line.watch', { title: look.alerts[0][4] }, `Broken data: ${plain(look.alerts[0][0])}${look.alerts[0][1] === '' ? '' : ` on ${look.alerts[0][1]}`}, ${span(look.alerts[0][2], look.alerts[0][3])}. ${look.alerts[0][4]}`),
      h('ul.multiples', null, ...features.map((one) => h('li', { key: one.feature, class: one.level },
        h('p.name', { title: descriptions.get(one.feature) ?? one.feature }, plain(one.feature)),
        h('p.index', { title: 'population stability index' }, one.level === 'drift' ? h('span.sign', { 'aria-hidden': 'true' }, '▲ ') : null, latest(one.psi).toFixed(2)),
        one.plot.length === 0 ? h('p.plot.none.faint', null, 'a mix of categories') : twoShapes(sentence(one), one.plot.map((/** @type {any} */ bucket) => bucket.reference), one.plot.map((/** @type {any} */ bucket) => bucket.window)),
        h('p.ends', { 'aria-hidden': 'true' }, one.plot.length === 0 ? '\u00a0' : [h('span', null, number(one.plot[0].from)), h('span', null, number(one.plot.at(-1).to))]),
        one.psi.length < 2 ? null : spark(`index over ${one.psi.length} looks, ${day(one.psi[0][0])} to ${day(one.psi.at(-1)[0])}`, one.psi.map((/** @type {number[]} */ [, value]) => value ?? null), { top: Math.max(0.5, ...one.psi.map((/** @type {number[]} */ [, value]) => value ?? 0)) })))),
      h('p.legend', { 'aria-hidden': 'true' }, h('span.key.reference', null, features[0]?.against === 'previous' ? 'window before' : 'training'), h('span.key.now', null, 'production'), h('span', null, 'number and small line: population stability index'))],
  });
}

/** @param {any} feature */
const sentence = ({ feature, psi, level, plot }) => `${plain(feature)}: ${WORDS[level]}, population stability index ${latest(psi).toFixed(2)}; values from ${number(plot[0]?.from)} to ${number(plot.at(-1)?.to)}`;
