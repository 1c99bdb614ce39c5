// @ts-check
/** One customer: what they did against what their score did, their features, and why. */
import { ask, protocols, Refused, socketUrl } from './api.js';
import { liveScores } from './client.js';
import { ago, day, moment, number, plain, score, short } from './format.js';
import { plot, table } from './plots.js';
import { changed, now, say, state } from './state.js';
import { h } from './vdom.js';
import { explanation, moves, movesOf } from './why.js';

/** @typedef {import('./vdom.js').Child} Child */
/** @typedef {NonNullable<typeof state.customer>} Shown */

const LANES = ['purchase', 'add_to_cart', 'page_view', 'login', 'support_ticket', 'refund', 'other'];
const AGAIN_MS = 2500;

/** @type {{ close(): void } | null} */
let live = null;

/** Versions that cannot be explained: why not; they are not asked about again. @type {Map<string, string>} */
const unexplained = new Map();

/** Follows a customer until another one, or none, is shown; again, it goes on. @param {string | null} id */
export function follow(id) {
  pause();
  if (state.customer?.id !== id) state.customer = id === null ? null : { id, latest: null, history: null, why: null, missing: false, error: null };
  changed();
  const mine = state.customer;
  if (id === null || mine === null || state.overview === null) return;
  const load = reload(mine);
  void load();
  live = liveScores({ url: socketUrl(), protocols: protocols(), subscription: { customer: [id] }, onMessage: ({ type }) => { if (type === 'score' && state.customer === mine) void load(); } });
}

export function pause() {
  live?.close();
  live = null;
}

/** Loads at once, and again at most every AGAIN_MS while news come. @param {Shown} shown */
function reload(shown) {
  let busy = false;
  let more = false;
  return async function load() {
    if (busy) { more = true; return; }
    busy = true;
    await read(shown);
    // What ClickHouse did not give is asked for again.
    more ||= (shown.history?.value === null || shown.why?.recent?.available === false) && state.trouble === null;
    setTimeout(() => { busy = false; if (more && state.customer === shown) { more = false; void load(); } }, AGAIN_MS);
  };
}

/** Each part is shown as it comes. @param {Shown} shown */
async function read(shown) {
  const path = encodeURIComponent(shown.id);
  const update = (/** @type {Partial<Shown>} */ parts) => { Object.assign(shown, parts); changed(); };
  const latest = ask(`/customers/${path}?history=0`).then((answer) => update({ latest: answer, missing: false, error: null }), (/** @type {Refused} */ { status, message }) => update(status === 404 ? { missing: true } : { error: message }));
  const history = ask(`/page/customers/${path}`).then((answer) => update({ history: answer.history }), (/** @type {Refused} */ { message }) => update({ history: shown.history ?? { at: null, value: null, error: { code: 'INTERNAL', detail: message } } }));
  await latest;
  if (shown.missing) say(`There is no customer ${shown.id}.`);
  else await explain(shown, path).then((why) => update({ why }));
  await history;
}

/** @param {Shown} shown @param {string} path @returns {Promise<Shown['why']>} */
async function explain({ latest, why }, path) {
  if (latest === null) return why;
  const never = unexplained.get(latest.model_version);
  if (never !== undefined) return { problem: never };
  try {
    const { explanation, recent } = await ask(`/customers/${path}?history=0&explain=true`);
    return { explanation, recent };
  } catch (failure) {
    const { status, message } = failure instanceof Refused ? failure : { status: -1, message: String(failure) };
    if (status === 422) unexplained.set(latest.model_version, message);
    // What was told before is of a former score; where it cannot be told again at once, it is better than nothing.
    return status === 422 || why === null ? { problem: message } : why;
  }
}

export function customer() {
  const shown = state.customer;
  if (shown === null) return null;
  const { id, latest, history, missing, error } = shown;
  const head = h('div.customer-head', null,
    h('p.back', null, h('a', { href: '#/' }, '← Overview')),
    h('h1', null, id),
    latest === null ? null : h('p.figure', null,
      h('strong', { class: latest.decision === 'at_risk' ? 'risk' : 'tide' }, score(latest.score)),
      h('span.tag', { class: `tag ${latest.decision === 'at_risk' ? 'risk' : 'tide'}` }, latest.decision === 'at_risk' ? 'at risk' : 'keep'),
      h('span.faint', null, `after ${latest.trigger === 'sweep' ? 'silence' : 'an event'} of ${moment(Date.parse(latest.event_time))} UTC, scored ${ago(Date.parse(latest.scored_at), now())} by ${short(latest.model_version)}`),
      latest.degraded ? h('span.tag.watch', null, 'fallback score') : null,
      latest.live === false ? h('span.tag.watch', { title: 'another scorer has this customer’s partition now' }, 'not live here') : null));
  if (missing && (history === null || history.value?.events.length === 0)) return [head, h('div.empty', null, h('p', null, 'No customer of this id has been scored here.'), h('p', null, 'Ids are exact: the search at the top shows those that begin as you type.'))];
  if (error !== null && latest === null) return [head, h('div.empty', null, h('p', null, 'This customer cannot be read now.'), h('p', null, error))];
  if (latest === null && history === null) return [head, h('p.empty', null, 'Reading…')];
  return [head, timeline(shown), latest === null ? null : h('div.two', null, explanation(shown.why), moves(shown.why)), features(shown)];
}

/** @param {Shown} shown */
function timeline({ history, why }) {
  const about = state.overview?.about;
  const title = h('h2', { id: 'timeline-title' }, 'Events against score');
  const frame = (/** @type {Child[]} */ ...body) => h('section.panel.timeline', { 'aria-labelledby': 'timeline-title' }, h('div.head', null, title, ...body.slice(0, 1)), ...body.slice(1));
  if (history === null || (history.value === null && history.error === undefined)) return frame(null, h('p.empty', null, 'Reading…'));
  if (history.value === null) return frame(null, h('div.empty', { title: history.error.detail }, h('p', null, 'ClickHouse does not answer, so there is no history now.'), h('p', null, 'The latest score and features below are from the online store.')));
  const scores = [...history.value.scores].reverse();
  const from = scores[0]?.at ?? history.value.events.at(-1)?.at;
  const events = [...history.value.events].reverse().filter((/** @type {any} */ one) => one.at >= from);
  if (scores.length === 0 && events.length === 0) return frame(null, h('p.empty', null, 'Nothing of this customer has landed in ClickHouse yet.'));
  const to = Math.max(scores.at(-1)?.at ?? 0, events.at(-1)?.at ?? 0);
  const x = (/** @type {number} */ at) => (to === from ? 50 : 1 + (98 * (at - from)) / (to - from));
  const y = (/** @type {number} */ value) => 100 - 100 * value;
  const threshold = about?.threshold ?? 0.5;
  const steps = scores.map((/** @type {any} */ one, /** @type {number} */ i) => (i === 0 ? `M${x(one.at)} ${y(one.score)}` : `H${x(one.at)}V${y(one.score)}`)).join('');
  const lanes = LANES.map((type) => ({ type, events: events.filter((/** @type {any} */ one) => one.type === type) })).filter((lane) => lane.events.length > 0);
  const versions = [...new Set(scores.map((/** @type {any} */ one) => one.version))];
  const moved = movesOf(why).map((one) => ({ ...one, at: Date.parse(one.event_time) })).filter(({ at }) => at >= from && at <= to)
    .map((one) => h('path.moved', { class: one.score_change > 0 ? 'moved risk' : 'moved', d: `M${x(one.at)} ${y(one.score_after)}h0.01` }));
  const asTable = state.tables.has('timeline');
  return frame([
    h('span.note', null, `${day(from)} to ${day(to)}, ${scores.length} scores${versions.length > 1 ? ` by ${versions.length} versions` : ''}, ${events.length} events`),
    h('button.quiet', { type: 'button', 'aria-pressed': String(asTable), 'aria-label': 'Events against score: show as a table', onclick: () => { if (!state.tables.delete('timeline')) state.tables.add('timeline'); changed(); } }, 'Table')],
  asTable ? table('Events and scores, newest first', ['time, UTC', 'event', 'amount', 'score'], merged(events, scores).map((one) => [moment(one.at), one.what, one.amount, one.score]))
    : h('div.lanes', null,
      h('div.axis-y', { 'aria-hidden': 'true' }, h('span', null, '1'), h('span', null, score(threshold).replace(/^0/, '')), h('span', null, '0')),
      plot(`Score from ${score(scores[0]?.score)} on ${day(from)} to ${score(scores.at(-1)?.score)} on ${day(to)}; highest ${score(Math.max(...scores.map((/** @type {any} */ one) => one.score)))}`, 'course',
        h('rect.zone', { x: 0, y: 0, width: 100, height: y(threshold) }), h('path.threshold', { d: `M0 ${y(threshold)}H100` }), h('path.line.came', { d: steps }), ...moved),
      ...lanes.flatMap(({ type, events: some }) => [h('span.lane', { class: `lane ${type}` }, plain(type), h('span.faint', null, ` ${some.length}`)),
        plot(`${some.length} times ${plain(type)}`, `ticks.${type}`, ...some.map((/** @type {any} */ one) => h('path', { d: `M${x(one.at).toFixed(2)} 18V82` })))]),
      h('div.axis-x', { 'aria-hidden': 'true' }, h('span', null, day(from)), h('span', null, day(to)))));
}

/** @param {any[]} events @param {any[]} scores */
function merged(events, scores) {
  const all = [
    ...events.map((one) => ({ at: one.at, what: `${plain(one.type)}${one.channel === '' ? '' : ` on ${one.channel}`}`, amount: one.amount === null ? '' : number(one.amount), score: '' })),
    ...scores.map((one) => ({ at: one.at, what: one.trigger === 'sweep' ? 'score after silence' : 'score', amount: '', score: score(one.score) })),
  ];
  return all.sort((a, b) => b.at - a.at).slice(0, 200);
}

/** @param {Shown} shown */
function features({ latest }) {
  const words = new Map((state.overview?.about.features ?? []).map((/** @type {any} */ { name, description }) => [name, description]));
  return h('section.panel', { 'aria-labelledby': 'features-title' }, h('div.head', null, h('h2', { id: 'features-title' }, 'Latest features')),
    latest === null ? h('p.empty', null, 'Not in the online store.') : h('dl.features', null,
      ...Object.entries(latest.features).map(([name, value]) => h('div', { title: words.get(name) ?? name }, h('dt', null, plain(name)), h('dd', null, number(/** @type {number | null} */ (value)))))));
}
