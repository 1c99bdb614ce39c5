// @ts-check
/** The frame of every panel: heading, a word beside it, the age of what it shows, and its figures as a table. */
import { ago } from './format.js';
import { changed, now, state } from './state.js';
import { h } from './vdom.js';

/** @typedef {import('./vdom.js').Child} Child */
/** @typedef {import('./state.js').Section} Section */

/**
 * @param {{ id: string, title: string, note?: Child, section?: Section | undefined, table?: () => Child, body: () => Child, empty?: Child, hasData?: boolean }} options
 */
export function panel({ id, title, note, section, table, body, empty, hasData = true }) {
  const asTable = state.tables.has(id);
  const waiting = section !== undefined && section.value === null && section.error === undefined;
  const content = () => {
    if (section?.value === null && section.error !== undefined) return away(section.error);
    if (waiting || (section === undefined && state.overview === null)) return h('p.empty', null, 'Reading…');
    if (!hasData) return h('div.empty', null, empty);
    return asTable && table !== undefined ? table() : body();
  };
  return h('section.panel', { class: `panel ${id}`, 'aria-labelledby': `${id}-title` },
    h('div.head', null,
      h('h2', { id: `${id}-title` }, title),
      h('span.note', null, note),
      section?.error !== undefined && section.at !== null ? h('span.stale', { title: section.error.detail }, `as of ${ago(section.at, now())}`) : null,
      table === undefined || !hasData || waiting ? null : h('button.quiet', {
        type: 'button', 'aria-pressed': String(asTable), 'aria-label': `${title}: show as a table`,
        onclick: () => { if (!state.tables.delete(id)) state.tables.add(id); changed(); },
      }, 'Table')),
    content());
}

/** @param {{ code: string, detail: string }} error */
const away = ({ code, detail }) => h('div.empty', { title: detail },
  h('p', null, code === 'CLICKHOUSE_UNREACHABLE' ? 'ClickHouse does not answer.' : 'ClickHouse refused the question.'),
  h('p', null, 'Scores go on; this panel comes back by itself.'));

/** @param {string} name @returns {Section | undefined} */
export const sectionOf = (name) => state.overview?.sections[name];
/** @param {string} name @returns {any[]} */
export const rowsOf = (name) => sectionOf(name)?.value ?? [];
