// @ts-check
/** The loop: what serves, what was decided about it, and what was asked of the trainer. */
import { ago, dayYear, number, percent, short } from './format.js';
import { panel, rowsOf, sectionOf } from './panel.js';
import { now, state } from './state.js';
import { h } from './vdom.js';

/** @typedef {import('./vdom.js').Child} Child */

const STAGES = /** @type {Record<string, string>} */ ({ champion: 'champion', canary: 'canary', shadow: 'shadow', former: 'former champion' });
const ACTIONS = /** @type {Record<string, [mark: string, word: string, level: string]>} */ ({
  registered: ['·', 'registered', ''], refused: ['✕', 'refused', 'watch'], shadow: ['◌', 'in shadow', 'tide'], canary: ['◔', 'canary', 'tide'],
  promoted: ['▲', 'promoted', 'good'], rolled_back: ['▼', 'rolled back', 'risk'], retired: ['·', 'retired', ''],
});

export function service() {
  const versions = rowsOf('versions');
  const { model } = state.overview.health.dependencies;
  const [champion, ...others] = versions;
  const serves = model.version;
  return panel({
    id: 'service', title: 'In service', note: model.challenger === undefined ? null : `${model.challenger.mode} beside it`, section: sectionOf('versions'), hasData: versions.length > 0 || serves !== undefined,
    empty: [h('p', null, 'No version has been published.'), h('p', null, h('code', null, 'npx tidemark train'), ' makes the first one.')],
    body: () => [
      h('div.champion', null,
        h('p.version', null, h('strong', { title: serves }, short(serves ?? champion.version)), h('span.tag.good', null, 'champion')),
        h('p.faint', null, `${model.family ?? champion?.family ?? ''}, here since ${model.since === undefined ? '–' : ago(Date.parse(model.since), now())}`),
        champion === undefined ? null : h('dl.facts', null,
          fact('log loss', score3(champion.log_loss)), fact('AUC', score3(champion.auc)),
          fact('trained on', `${number(champion.data_rows)} rows`), fact('data up to', dayYear(champion.data_to)))),
      model.refused === undefined ? null : h('p.notice-line.risk', { title: model.refused.reason }, `This scorer refused ${short(model.refused.version)}: ${model.refused.reason}`),
      others.length === 0 ? null : h('ul.others', null, ...others.map((one) => h('li', null,
        h('span.mono', { title: one.version }, short(one.version)), h('span.tag', { class: `tag ${one.stage === 'former' ? '' : 'tide'}` }, STAGES[one.stage] ?? one.stage, one.stage === 'canary' ? ` ${percent(one.share, 0)}` : ''),
        h('span.faint', null, `log loss ${score3(one.log_loss)}`)))),
    ],
  });
}

/** @param {number | undefined} value */
const score3 = (value) => (value === undefined || value === 0 ? '–' : value.toFixed(3));
/** @param {string} name @param {string} value */
const fact = (name, value) => h('div', null, h('dt', null, name), h('dd', null, value));

export function ledger() {
  const entries = rowsOf('ledger');
  return panel({
    id: 'ledger', title: 'Ledger', note: 'every decision about a version', section: sectionOf('ledger'), hasData: entries.length > 0, empty: h('p', null, 'Nothing has been decided yet.'),
    body: () => h('ol.entries', { tabindex: 0, 'aria-label': 'Ledger, newest first' }, ...entries.map((one) => {
      const [mark, word, level] = ACTIONS[one.action] ?? ['·', one.action, ''];
      return h('li', { key: `${one.at}${one.version}${one.action}${one.share}` },
        h('span.mark', { class: `mark ${level}`, 'aria-hidden': 'true' }, mark),
        h('div', null, h('p', null, h('b', { class: level }, word, one.action === 'canary' ? ` ${percent(one.share, 0)}` : ''), ' ', h('span.mono', { title: one.version }, one.version === '' ? 'no version' : short(one.version)), h('span.when', null, ago(one.at, now()))),
          h('p.why', { title: one.reason }, one.reason, h('span.faint', null, ` · ${one.decided_by}`))));
    })),
  });
}

const REASONS = /** @type {Record<string, string>} */ ({ drift: 'Drift', performance: 'Performance', schedule: 'Schedule', manual: 'By hand' });

/** @param {() => void} ask opens the dialog */
export function retrains(ask) {
  const events = rowsOf('retrains');
  const may = state.overview.can_retrain;
  return panel({
    id: 'retrains', title: 'Retraining', note: 'asked for by drift, schedule and people', section: sectionOf('retrains'), hasData: events.length > 0,
    empty: [h('p', null, 'Nothing has asked for a retraining.'), h('p', null, 'Drift, falling performance and RETRAIN_SCHEDULE do so by themselves.', may ? [' Or ', h('button.link', { type: 'button', onclick: ask }, 'ask now'), '.'] : '')],
    body: () => h('ol.entries', { tabindex: 0, 'aria-label': 'Retrain events, newest first' }, ...events.map((one) => {
      const [level, word] = outcome(one);
      return h('li', { key: one.event_id },
        h('span.mark', { class: `mark ${level}`, 'aria-hidden': 'true' }, one.decision === 'skip' ? '–' : level === 'running' ? '◐' : '●'),
        h('div', null, h('p', null, h('b', null, REASONS[one.reason] ?? one.reason), ' ', h('span', { class: level }, word), h('span.when', null, ago(one.at, now()))),
          h('p.why', { title: one.explanation }, one.explanation, one.reason === 'manual' ? h('span.faint', null, ` · ${one.requested_by}`) : null),
          one.answer === '' ? null : h('p.why', { title: one.answer }, h('span.faint', null, 'answer: '), one.answer)));
    })),
  });
}

/** @param {any} event @returns {[level: string, word: string]} */
function outcome({ decision, action, version, status, stage }) {
  if (decision === 'skip') return ['', 'decided against'];
  if (action === 'refused') return ['watch', 'candidate refused'];
  if (action !== '') return [action === 'rolled_back' ? 'risk' : 'good', `${(ACTIONS[action]?.[1] ?? action)} ${short(version)}`];
  if (status === 'running') return ['running', stage === '' ? 'training' : `training: ${stage}`];
  return status === 'failed' ? ['watch', 'failed; tried again'] : ['running', 'waits for the trainer'];
}
