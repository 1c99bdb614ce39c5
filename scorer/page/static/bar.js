// @ts-check
/** The bar at the top: the name, the search, how the connection is, and what may be done. */
import { ask } from './api.js';
import { ago } from './format.js';
import { changed, now, state } from './state.js';
import { h } from './vdom.js';

/** @type {string[]} */
let suggestions = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;

/** @param {string} prefix */
function suggest(prefix) {
  if (state.overview === null) return;
  clearTimeout(typing);
  typing = setTimeout(() => ask(`/page/customers?prefix=${encodeURIComponent(prefix)}`).then((answer) => { suggestions = answer.customers; changed(); }, () => undefined), 120);
}

/** An answer older than this is not the present. */
const OLD_MS = 8000;

/** @returns {[level: string, word: string, detail: string]} */
function connection() {
  const { trouble, heardAt, socket, overview } = state;
  if (trouble?.status === 401) return ['watch', 'key needed', trouble.detail];
  if (trouble?.status === 403) return ['watch', 'not allowed', trouble.detail];
  if (trouble !== null) return ['risk', trouble.retryAt === null ? 'disconnected' : `disconnected, next try in ${Math.max(0, Math.ceil((trouble.retryAt - Date.now()) / 1000))} s`, trouble.detail];
  if (overview === null) return ['', 'connecting', ''];
  if (Date.now() - heardAt > OLD_MS) return ['watch', `stale, as of ${ago(heardAt, Date.now())}`, 'the server takes long to answer'];
  if (socket !== 'connected') return ['watch', 'polling', 'the WebSocket is not connected; figures come by polling'];
  return ['good', 'live', 'figures every two seconds, scores as they are committed'];
}

/** @param {{ retry: () => void, retrain: () => void, key: () => void, theme: () => void, hasKey: boolean, dark: boolean }} does */
export function bar({ retry, retrain, key, theme, hasKey, dark }) {
  const [level, word, detail] = connection();
  const { overview } = state;
  const why = overview === null || overview.can_retrain ? null : ['reader', 'scorer'].includes(overview.caller?.role) ? `takes an operator’s key, yours is a ${overview.caller.role}’s` : 'by tidemark retrain only';
  const go = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.currentTarget).elements.namedItem('customer'));
    if (field.value.trim() !== '') location.hash = `#/customer/${encodeURIComponent(field.value.trim())}`;
    field.value = '';
  };
  return [
    h('a.brand', { href: '#/', 'aria-label': 'Tidemark, overview' }, h('img', { src: '/page/static/mark.svg', alt: '', width: 22, height: 22 }), h('span', null, 'Tidemark'), overview === null ? null : h('span.model', null, overview.about.model)),
    h('form.search', { role: 'search', onsubmit: go },
      h('label.out-of-sight', { for: 'customer' }, 'Customer id'),
      h('input', { id: 'customer', name: 'customer', type: 'search', placeholder: 'Customer id', autocomplete: 'off', spellcheck: 'false', list: 'customers', maxlength: 256, 'aria-keyshortcuts': '/', onfocus: (/** @type {any} */ event) => suggest(event.target.value), oninput: (/** @type {any} */ event) => suggest(event.target.value) }),
      h('kbd', { 'aria-hidden': 'true' }, '/'),
      h('datalist', { id: 'customers' }, ...suggestions.map((id) => h('option', { value: id })))),
    h('p.connection', { class: `connection ${level}`, title: detail }, h('span.dot', { 'aria-hidden': 'true' }), h('span', null, word), level === 'risk' ? h('button.link', { type: 'button', onclick: retry }, 'Try now') : null),
    h('div.actions', null,
      why === null ? null : h('span.faint', { id: 'may-not' }, why),
      overview === null ? null : h('button', { type: 'button', onclick: retrain, disabled: why !== null, 'aria-describedby': why === null ? null : 'may-not' }, 'Ask for a retraining…'),
      hasKey || state.trouble?.status === 401 ? h('button.quiet', { type: 'button', onclick: key }, hasKey ? 'Key' : 'Enter a key') : null,
      h('button.quiet.theme', { type: 'button', onclick: theme, 'aria-label': dark ? 'Use the light theme' : 'Use the dark theme' }, dark ? '☀' : '☾')),
  ];
}

/** What goes beyond one panel. @param {() => void} key */
export function notice(key) {
  const { overview, trouble, heardAt } = state;
  if (trouble !== null && overview !== null && trouble.status <= 0) return h('p.banner.risk', null, `The scorer does not answer. What is shown is as of ${ago(heardAt, Date.now())}; it goes on by itself once the scorer is back.`);
  if (trouble?.status === 401 && overview !== null) return h('p.banner.watch', null, `The server does not take the key any more. What is shown is as of ${ago(heardAt, Date.now())}. `, h('button.link', { type: 'button', onclick: key }, 'Enter another key'));
  if (overview === null) return null;
  const { model, kafka } = overview.health.dependencies;
  if (model.status === 'down') return h('p.banner.watch', null, 'No model serves yet: records wait in Kafka. ', h('code', null, 'npx tidemark train'), ' publishes one.');
  if (kafka.status !== 'up') return h('p.banner.watch', null, `Kafka: ${kafka.detail ?? kafka.status}. Answers go on from the online store.`);
  return null;
}

export const foot = () => {
  const { overview } = state;
  if (overview === null) return null;
  const others = Object.entries(overview.health.dependencies).filter(([, one]) => one.status !== 'up').map(([name]) => name);
  return [h('span', null, others.length === 0 ? 'All parts are up' : `Not up: ${others.join(', ')}`), h('span', null, `scorer up for ${ago(now() - overview.health.uptime_s * 1000, now()).replace(' ago', '').replace('just now', 'a moment')}`), h('span', null, 'stream figures are this scorer’s own, the rest is everybody’s'), h('a', { href: '/health' }, 'health'), overview.caller === null ? h('a', { href: '/metrics' }, 'metrics') : null];
};
