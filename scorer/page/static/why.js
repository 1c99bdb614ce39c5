// @ts-check
/** Why a customer's score is what it is, and which of their recent events moved it. */
import { ago, known, moment, number, plain, score, short, signed, words } from './format.js';
import { now } from './state.js';
import { h } from './vdom.js';

/** @typedef {import('./vdom.js').Child} Child */
/** @typedef {{ explanation?: any, recent?: any, problem?: string } | null} Why */
/** @typedef {{ event_id: string, event_type: string | null, trigger: string, event_time: string, score_before: number, score_after: number, score_change: number, model_version: string, features: any[] }} Move */

/** Smaller changes are written as none. */
const CHANGE_MIN = 0.005;
const MOVES_MAX = 6;

/** @param {string} id @param {string} title @param {Child} note @param {...Child} body */
const frame = (id, title, note, ...body) => h('section.panel', { class: `panel ${id}`, 'aria-labelledby': `${id}-title` }, h('div.head', null, h('h2', { id: `${id}-title` }, title), note), ...body);

/** @param {any} part */
const named = ({ feature, description, value }) => `${words(feature, description)} (${known(value)})`;

/** @param {any[]} parts largest first @param {1 | -1} sign */
const strongest = (parts, sign) => parts.filter(({ contribution }) => sign * contribution >= CHANGE_MIN).slice(0, 2).map(named).join(', ');

/** @param {Why} why */
export function explanation(why) {
  if (why === null) return frame('why', 'Why this score', null, h('p.empty', null, 'Reading…'));
  const given = why.explanation;
  if (given === undefined) return frame('why', 'Why this score', null, h('div.empty', null, h('p', null, 'There is no explanation now.'), h('p', null, why.problem ?? '')));
  const parts = /** @type {any[]} */ (given.contributions);
  const most = Math.max(...parts.map((one) => Math.abs(one.contribution)), 1e-9);
  const [up, down] = [strongest(parts, 1), strongest(parts, -1)];
  return frame('why', 'Why this score', h('span.note', { title: given.note }, given.unit === 'probability' ? 'contributions to the probability, largest first' : 'contributions in log-odds, largest first'),
    h('p.in-words', null, up === '' ? '' : [h('b.risk', null, 'Raises it most: '), up, '. '], down === '' ? '' : [h('b.tide', null, 'Lowers it most: '), down, '.']),
    h('table.figures', null, h('thead.out-of-sight', null, h('tr', null, ...['Feature', 'Value', 'Direction', 'Contribution'].map((title) => h('th', { scope: 'col' }, title)))),
      h('tbody', null, ...parts.map((one) => h('tr', null, h('th', { scope: 'row', title: one.feature }, words(one.feature, one.description)), h('td.n', null, number(one.value)),
        h('td.picture', null, h('svg.plot.bars', { viewBox: '-50 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, h('path.axis', { d: 'M0 0V100' }),
          h('rect', { class: one.contribution > 0 ? 'bar risk' : 'bar', x: Math.min(0, (48 * one.contribution) / most), y: 20, height: 60, width: (48 * Math.abs(one.contribution)) / most }))),
        h('td.n', null, signed(one.contribution)))))));
}

/** What moved the score so that it can be seen, latest first. @param {Why} why @returns {Move[]} */
export const movesOf = (why) => /** @type {Move[]} */ (why?.recent?.events ?? []).filter((one) => Math.abs(one.score_change) >= CHANGE_MIN).slice(0, MOVES_MAX);

/** @param {Why} why */
export function moves(why) {
  const title = 'What moved it lately';
  if (why === null) return frame('moves', title, null, h('p.empty', null, 'Reading…'));
  const recent = why.recent;
  if (recent === undefined || !recent.available) return frame('moves', title, null, h('div.empty', null, h('p', null, 'Recent events cannot be told now.'), h('p', null, recent?.reason ?? why.problem ?? '')));
  const list = movesOf(why);
  const all = /** @type {Move[]} */ (recent.events);
  if (list.length === 0) return frame('moves', title, null, h('p.empty', null, all.length === 0 ? 'It takes two scores that have landed.' : `None of the last ${all.length} events moved it by 0.01 or more.`));
  return frame('moves', title, h('span.note', null, `of the last ${all.length} events that have landed, latest first`),
    h('ol.entries', { tabindex: 0, 'aria-label': 'Recent events that moved the score, latest first' }, ...list.map((one) => {
      const rose = one.score_change > 0;
      const before = all[all.indexOf(one) + 1];
      const other = before !== undefined && before.model_version !== one.model_version;
      const because = one.features.filter((feature) => Math.abs(feature.contribution_change) >= CHANGE_MIN).slice(0, 2);
      return h('li', { key: one.event_id },
        h('span.mark', { class: `mark ${rose ? 'risk' : 'tide'}`, 'aria-hidden': 'true' }, rose ? '▲' : '▼'),
        h('div', null,
          h('p', null, h('b', null, what(one)), h('span', null, `${score(one.score_before)} → ${score(one.score_after)}`), h('b', { class: rose ? 'risk' : 'tide' }, signed(one.score_change)), h('span.when', { title: `${ago(Date.parse(one.event_time), now())}` }, moment(Date.parse(one.event_time)))),
          h('p.why', null, other ? `another version, ${short(one.model_version)}${because.length > 0 ? '; ' : ''}` : '', because.length === 0 && !other ? 'many small changes' : because.map((feature) => `${words(feature.feature, feature.description)}: ${known(feature.before)}\u00a0→\u00a0${known(feature.after)}`).join(', '))));
    })));
}

/** @param {Move} move */
const what = ({ event_type, trigger }) => (trigger === 'sweep' ? 'Silence' : event_type === null ? 'An event' : plain(event_type).replace(/^./, (letter) => letter.toUpperCase()));
