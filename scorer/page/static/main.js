// @ts-check
/** Puts the page together: what is asked when, what is drawn where, which keys do what. */
import { ask, key, poll, protocols, socketUrl } from './api.js';
import { bar, foot, notice } from './bar.js';
import { liveScores } from './client.js';
import { customer, follow, pause } from './customer.js';
import { dialogs, openKey, openRetrain } from './dialogs.js';
import { drift } from './drift.js';
import { ledger, retrains, service } from './loop.js';
import { performance } from './performance.js';
import { changed, drawNow, drawWith, say, state } from './state.js';
import { latency, risers, scores, vitals } from './stream.js';
import { h, render } from './vdom.js';

const OVERVIEW_MS = 2000;
const DRIFT_MS = 10_000;
const SOON_MS = 1500;
const THEME = 'tidemark-theme';
const place = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

/* The theme: the system's, until somebody chooses. It is looked at with each drawing: Chromium now and then loses the event that tells of a change. */
const chosen = () => localStorage.getItem(THEME);
const isDark = () => (chosen() ?? (prefersDark.matches ? 'dark' : 'light')) === 'dark';
function switchTheme() {
  localStorage.setItem(THEME, isDark() ? 'light' : 'dark');
  drawNow();
}

/* What is asked. */
/** @type {{ close(): void } | null} */
let live = null;
const overview = poll({
  every_ms: OVERVIEW_MS,
  async load() {
    const answer = await ask('/page/overview');
    const wasAway = state.trouble !== null && state.overview !== null;
    Object.assign(state, { overview: answer, heardAt: Date.now(), ahead: answer.now - Date.now(), trouble: null });
    if (wasAway) say('Connected again.');
    if (live === null || wasAway) begin();
    changed();
  },
  failed({ status, message }, retryAt) {
    if (state.trouble === null && state.overview !== null && status <= 0) say('The connection is lost; trying again.');
    const first = state.trouble?.status !== status;
    state.trouble = { status, detail: message, retryAt };
    if (status === 401) end();
    if (status === 401 && first) openKey();
    changed();
  },
});
const driftReport = poll({
  every_ms: DRIFT_MS,
  async load() {
    if (live === null) return;
    state.drift = await ask('/page/drift');
    changed();
    // The first reading takes a while: it is looked for again soon.
    return state.drift.drift.at === null && state.drift.drift.error === undefined ? SOON_MS : undefined;
  },
  failed: () => undefined,
});

/* A thin sample of the scores says that the stream is there; the figures come from the questions above. */
/** All else is asked for once the first question was answered: without a key nothing would come of it. */
function begin() {
  live?.close();
  live = liveScores({ url: socketUrl(), protocols: protocols(), subscription: { sample: 0.01, snapshot: 0 }, onMessage: () => undefined, onState: (now) => { state.socket = now; changed(); } });
  driftReport.now();
  if (state.customer !== null) follow(state.customer.id);
}
function end() {
  live?.close();
  live = null;
  pause();
}

/* What is drawn. */
function content() {
  if (state.overview === null) return h('div.start', { key: 'start' }, h('h1.out-of-sight', null, 'Tidemark'), start());
  if (location.hash.startsWith('#/customer/')) return h('div.customer', { key: 'customer' }, customer());
  return h('div.overview', { key: 'overview', class: state.trouble === null ? 'overview' : 'overview old' },
    h('h1.out-of-sight', null, `Overview of ${state.overview.about.model}`),
    vitals(), scores(), risers(), service(), ledger(), retrains(openRetrain), drift(), performance(), latency());
}
function start() {
  const { trouble } = state;
  if (trouble === null) return h('p.empty', null, 'Reading…');
  if (trouble.status === 401) return h('div.empty', null, h('p', null, 'This server asks for a key.'), h('p', null, h('button.primary', { type: 'button', onclick: openKey }, 'Enter a key')));
  if (trouble.status === 403) return h('div.empty', null, h('p', null, 'Your key may not read this page.'), h('p', null, trouble.detail));
  return h('div.empty', null, h('p', null, trouble.status > 0 ? trouble.detail : 'The scorer does not answer.'), h('p', null, 'It is tried again by itself.'));
}
drawWith(() => {
  const dark = isDark();
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  render(place('bar'), ...bar({ retry: overview.now, retrain: openRetrain, key: openKey, theme: switchTheme, hasKey: key.get() !== null, dark }));
  render(place('notice'), notice(openKey));
  render(place('content'), content());
  render(place('foot'), foot());
  render(place('dialogs'), dialogs(overview.now));
});

/* Where the page is, and keys. */
function route() {
  const [, id] = /^#\/customer\/(.+)$/.exec(location.hash) ?? [];
  let name = null;
  try { name = id === undefined ? null : decodeURIComponent(id); } catch { name = id ?? null; }
  document.title = name === null ? 'Tidemark' : `${name} · Tidemark`;
  if (name !== (state.customer?.id ?? null)) follow(name);
  changed();
  window.scrollTo(0, 0);
}
window.addEventListener('hashchange', () => { route(); place('content').focus({ preventScroll: true }); });
document.addEventListener('keydown', (event) => {
  const { target } = event;
  const writing = target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable);
  if (event.key !== '/' || writing || event.ctrlKey || event.metaKey || event.altKey || state.dialog !== null) return;
  event.preventDefault();
  place('customer').focus();
});
window.addEventListener('resize', changed);
/* Ages, countdowns and the system's theme move by themselves. */
setInterval(changed, 1000);
route();
