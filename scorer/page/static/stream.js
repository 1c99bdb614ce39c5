// @ts-check
/** The stream: its vital signs, the scores as they move, who rises, and how long it takes. */
import { ago, known, milliseconds, number, percent, plain, score, signed, words } from './format.js';
import { panel, rowsOf, sectionOf } from './panel.js';
import { drawHeat, linePath, plot, rise, spark, table } from './plots.js';
import { now, state } from './state.js';
import { h } from './vdom.js';

/** @typedef {import('./vdom.js').Child} Child */

const sum = (/** @type {number[]} */ values) => values.reduce((total, value) => total + value, 0);
const RECENT_SLOTS = 4;

/** What the vital signs are made of. */
function figures() {
  const { pulse, health } = state.overview;
  // The last slot is still being filled.
  const rows = pulse.rows.slice(0, -1);
  const atRisk = pulse.at_risk.slice(0, -1);
  const seconds = pulse.slot_ms / 1000;
  const recent = sum(rows.slice(-RECENT_SLOTS));
  const partitions = health.dependencies.kafka.partitions ?? [];
  return {
    perSecond: rows.map((/** @type {number} */ count) => count / seconds), rate: recent / (RECENT_SLOTS * seconds),
    riskShare: rows.map((/** @type {number} */ count, /** @type {number} */ i) => (count === 0 ? null : atRisk[i] / count)), risk: recent === 0 ? null : sum(atRisk.slice(-RECENT_SLOTS)) / recent,
    lag: health.dependencies.kafka.lag, partitions: partitions.length, customers: health.dependencies.store.customers,
  };
}

export function vitals() {
  const { perSecond, rate, riskShare, risk, lag, partitions, customers } = figures();
  const { pulse, about } = state.overview;
  const commit = pulse.stages_ms.event_to_commit;
  const p99 = pulse.latency_ms.slice(0, -1).map((/** @type {any} */ one) => one.p99);
  const letters = rowsOf('dead_letters');
  const lettersKnown = sectionOf('dead_letters')?.value;
  const dead = sum(letters.map(({ rows }) => rows));
  const hours = Array.from({ length: 24 }, (_, i) => sum(letters.map((one) => one.hours[i])));
  return h('section.vitals', { 'aria-label': 'Vital signs' }, h('dl', null,
    vital('Events', number(rate), 'a second', spark(`events a second over five minutes, now ${number(rate)}`, perSecond)),
    vital('Event to committed score', milliseconds(commit.p50), `p99 ${milliseconds(commit.p99)}`, spark(`99th percentile over five minutes, ${milliseconds(commit.p99)} in all`, p99)),
    vital('Waiting', number(lag), lag === undefined ? 'not reading yet' : `records on ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`, null, lag > 1000 ? 'watch' : ''),
    vital('At risk', percent(risk), `of scores, from ${score(about.threshold)} on`, spark(`share at risk over five minutes, now ${percent(risk)}`, riskShare, { kind: '.risk' })),
    vital('Dead letters', lettersKnown ? number(dead) : '–', dead > 0 ? `in 24 h, most ${plain(letters[0].reason)}` : 'in 24 h', dead > 0 ? spark(`dead letters by hour, ${dead} in 24 hours`, hours) : null, dead > 0 ? 'watch' : ''),
    vital('Customers', number(customers), 'in the online store', null)));
}

/** @param {string} name @param {string} value @param {Child} note @param {Child} picture @param {string} [level] */
const vital = (name, value, note, picture, level = '') => h('div.vital', { class: `vital ${level}` }, h('dt', null, name), h('dd', null, h('strong', null, value), h('span', null, note)), picture === null ? null : h('dd.picture', null, picture));

export function scores() {
  const { pulse, about } = state.overview;
  const slots = pulse.scores;
  const add = (/** @type {number[][]} */ some) => (some[0] ?? []).map((_, bin) => sum(some.map((one) => one[bin] ?? 0)));
  const [before, lately] = [add(slots.slice(0, -12)), add(slots.slice(-12))];
  const share = (/** @type {number[]} */ counts) => { const all = sum(counts) || 1; return counts.map((count) => count / all); };
  const [was, is] = [share(before), share(lately)];
  const top = Math.max(...was, ...is, 0.01);
  const bins = is.length;
  const total = sum(pulse.rows);
  const median = (() => { let below = 0; const half = sum(lately) / 2; for (const [i, count] of lately.entries()) { below += count; if (below >= half) return (i + 0.5) / bins; } return 0; })();
  const outline = was.map((one, i) => `${i === 0 ? 'M' : 'L'}${(96 * one) / top} ${100 - (100 * i) / bins}L${(96 * one) / top} ${100 - (100 * (i + 1)) / bins}`).join('');
  return panel({
    id: 'scores', title: 'Scores', note: 'five minutes, the last one beside those before', hasData: total > 0, empty: nothingScored(),
    table: () => table('Scores of the last minute and of the four minutes before it', ['score', 'last minute', 'before', 'rows'],
      is.map((one, i) => [`${score(i / bins)} to ${score((i + 1) / bins)}`, percent(one), percent(was[i]), number(lately[i])])),
    body: () => h('div.heat', null,
      h('div.axis-y', { 'aria-hidden': 'true' }, h('span', null, '1'), h('span', null, '.5'), h('span', null, '0')),
      h('div.field', null,
        h('canvas', { role: 'img', 'aria-label': `Scores over five minutes; the median of the last minute is about ${score(median)}`, then: (/** @type {HTMLCanvasElement} */ canvas) => requestAnimationFrame(() => drawHeat(canvas, slots, about.threshold)) }),
        plot(`threshold ${score(about.threshold)}`, 'over', h('path.threshold', { d: `M0 ${100 - 100 * about.threshold}H100` }))),
      plot(`Distribution of the last minute, median about ${score(median)}`, 'margin',
        ...is.map((one, i) => h('rect', { class: (i + 0.5) / bins >= about.threshold ? 'bar risk' : 'bar', x: 0, y: 100 - (100 * (i + 1)) / bins + 0.6, height: 100 / bins - 1.2, width: (96 * one) / top })),
        h('path.outline', { d: outline })),
      h('div.axis-x', { 'aria-hidden': 'true' }, h('span', null, '5 min ago'), h('span', null, 'now')),
      h('div.legend', { 'aria-hidden': 'true' }, h('span.key.now', null, 'last minute'), h('span.key.before', null, 'before'))),
  });
}

function nothingScored() {
  const { kafka, model } = state.overview.health.dependencies;
  if (model.status === 'down') return [h('p', null, 'No model serves yet, so nothing is scored.'), h('p', null, h('code', null, 'npx tidemark train'), ' makes the first one.')];
  return [h('p', null, kafka.status === 'up' ? 'Nothing was scored in the last five minutes.' : `Kafka: ${kafka.detail ?? kafka.status}.`), h('p', null, 'Scores appear with the next event on customer-events.')];
}

export function risers() {
  const { risers: list, about } = state.overview;
  const descriptions = new Map(about.features.map((/** @type {any} */ { name, description }) => [name, description]));
  return panel({
    id: 'risers', title: 'Risk just jumped', note: 'largest rises of ten minutes, and what moved them', hasData: list.length > 0,
    empty: h('p', null, 'No customer’s score has risen by 0.05 or more in the last ten minutes.'),
    body: () => h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': 'Customers whose risk rose' }, h('table.risers', null,
      h('thead.out-of-sight', null, h('tr', null, ...['Customer', 'From and to', 'Score', 'Why', 'When'].map((title) => h('th', { scope: 'col' }, title)))),
      h('tbody', null, ...list.slice(0, 6).map((/** @type {any} */ one) => h('tr', { key: one.customer_id },
        h('th', { scope: 'row' }, h('a', { href: `#/customer/${encodeURIComponent(one.customer_id)}` }, one.customer_id)),
        h('td.picture', null, rise(one.from, one.to, about.threshold)),
        h('td.score', null, score(one.from), h('span.to', null, ' → '), h('b', { class: one.to >= about.threshold ? 'risk' : null }, score(one.to))),
        h('td.why', null, one.reasons.length === 0 ? h('span.faint', null, one.trigger === 'sweep' ? 'silence, in many small changes' : 'many small changes') : one.reasons.slice(0, 2).map(reason(descriptions))),
        h('td.when', null, ago(one.at, now()))))))),
  });
}

/** @param {Map<string, string>} descriptions */
const reason = (descriptions) => (/** @type {any} */ { feature, before, after, effect }) =>
  h('span.reason', { title: `${feature}: this change alone moves the score by ${signed(effect)}` }, h('span', null, words(feature, descriptions.get(feature))), ` ${known(before)} → ${known(after)} `, h('i', { class: effect > 0 ? 'risk' : 'tide' }, signed(effect)));

const STAGES = /** @type {const} */ ([['event_to_features', 'event → features'], ['features_to_score', 'features → score'], ['score_to_commit', 'score → commit'], ['event_to_commit', 'event → commit']]);

export function latency() {
  const { pulse } = state.overview;
  const slots = pulse.latency_ms.slice(0, -1);
  const lines = /** @type {const} */ (['p99', 'p95', 'p50']);
  const values = slots.flatMap((/** @type {any} */ one) => [one.p50, one.p99]).filter((/** @type {any} */ one) => one !== null && one > 0);
  const [low, high] = [Math.min(...values, 1e9), Math.max(...values, 1)];
  const [bottom, top] = [Math.log(low / 1.15), Math.log(high * 1.15)];
  const y = (/** @type {number} */ ms) => 100 - (100 * (Math.log(Math.max(ms, low / 1.15)) - bottom)) / (top - bottom || 1);
  const { event_to_commit: all } = pulse.stages_ms;
  return panel({
    id: 'latency', title: 'Latency', note: 'from a record’s append to its committed score, five minutes', hasData: values.length > 0, empty: h('p', null, 'Nothing was scored in the last five minutes.'),
    body: () => [
      h('div.chart', null,
        h('div.axis-y', { 'aria-hidden': 'true' }, h('span', null, milliseconds(high)), h('span', null, milliseconds(low))),
        plot(`Latency over five minutes: median ${milliseconds(all.p50)}, 99th percentile ${milliseconds(all.p99)}`, 'lines', ...lines.map((name) => h(`path.line.${name}`, { d: linePath(slots.map((/** @type {any} */ one) => one[name]), y) })))),
      table('Latency by stage', ['stage', 'p50', 'p95', 'p99'], STAGES.map(([name, title]) => [title, ...(/** @type {const} */ (['p50', 'p95', 'p99'])).map((q) => milliseconds(pulse.stages_ms[name][q]))])),
    ],
  });
}
