// @ts-check
/** The two things that a person gives: the reason of a retraining, and a key. */
import { ask, key, Refused } from './api.js';
import { changed, drawNow, say, state } from './state.js';
import { h } from './vdom.js';

/** Opens as a modal when it is drawn first; the browser keeps the focus inside and gives it back. @param {HTMLDialogElement} dialog */
const show = (dialog) => { if (!dialog.open) dialog.showModal(); };
const close = () => document.querySelector('dialog')?.close();
const closed = () => { state.dialog = null; changed(); };
/** Escape closes, but not while an answer is waited for. @param {Event} event */
const cancelled = (event) => { if (state.retrain.busy || state.entry.busy) event.preventDefault(); };

/** @param {() => void} again asks what the page shows: there is another key, or a retraining was asked for */
export function dialogs(again) {
  return state.dialog === 'retrain' ? retrain(again) : state.dialog === 'key' ? keyEntry(again) : null;
}

export function openRetrain() {
  // One key a dialog: sent twice it is one retraining.
  Object.assign(state.retrain, { busy: false, error: null, why: '', key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` });
  state.dialog = 'retrain';
  drawNow();
}

/** @param {() => void} again */
function retrain(again) {
  const { busy, error, key: opening } = state.retrain;
  // The event of a former opening may come when it is open again.
  const over = () => { if (state.retrain.key === opening) closed(); };
  const send = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (state.retrain.busy) return;
    Object.assign(state.retrain, { busy: true, error: null });
    changed();
    try {
      await ask('/page/retrain', { why: state.retrain.why, key: state.retrain.key });
      say('A retraining was asked for.');
      state.retrain.busy = false;
      close();
      again();
    } catch (failure) {
      state.retrain.error = failure instanceof Error ? failure.message : String(failure);
      say(`It was not asked for: ${state.retrain.error}`);
    }
    state.retrain.busy = false;
    changed();
  };
  return h('dialog', { key: `retrain ${opening}`, 'aria-labelledby': 'retrain-title', oncancel: cancelled, onclose: over, then: show }, h('form', { onsubmit: send },
    h('h2', { id: 'retrain-title' }, 'Ask for a retraining?'),
    h('p', null, 'The trainer makes a candidate from what has landed and holds it against the champion. It serves only if it is better beyond chance; the ledger tells which.'),
    h('label', { for: 'why' }, 'Why'),
    h('textarea', { id: 'why', required: true, maxlength: 2000, rows: 3, placeholder: 'new loyalty programme since Monday', oninput: (/** @type {any} */ event) => { state.retrain.why = event.target.value; } }),
    h('p.hint', null, 'It stands in the event and in the model’s card.'),
    error === null ? null : h('p.error', { role: 'alert' }, error),
    h('div.buttons', null, h('button', { type: 'button', disabled: busy, onclick: close }, 'Cancel'), h('button.primary', { type: 'submit', disabled: busy }, busy ? 'Asking…' : 'Ask for a retraining'))));
}

export function openKey() {
  // A key that this tab has, and that is not taken, is the reason of its being opened.
  Object.assign(state.entry, { busy: false, error: state.trouble?.status === 401 && key.get() !== null ? NOT_TAKEN : null });
  state.dialog = 'key';
  drawNow();
}

const NOT_TAKEN = 'The server does not take this key: it is unknown, expired or revoked.';

/** @param {() => void} again */
function keyEntry(again) {
  const { busy, error } = state.entry;
  const send = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (state.entry.busy) return;
    const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.currentTarget).elements.namedItem('key'));
    const given = field.value.trim();
    Object.assign(state.entry, { busy: true, error: null });
    changed();
    try {
      // It is tried before it takes the place of another.
      await ask('/page/overview', undefined, given);
      key.set(given);
      state.entry.busy = false;
      close();
      again();
    } catch (failure) {
      const { status, message } = failure instanceof Refused ? failure : { status: -1, message: String(failure) };
      state.entry.error = status === 401 ? NOT_TAKEN : status === 0 ? 'The scorer does not answer.' : message;
      field.select();
    }
    state.entry.busy = false;
    changed();
  };
  // What was read with the key goes with it.
  const forget = () => { key.set(null); location.reload(); };
  return h('dialog', { key: 'key', 'aria-labelledby': 'key-title', oncancel: cancelled, onclose: closed, then: show }, h('form', { onsubmit: send },
    h('h2', { id: 'key-title' }, 'This server asks for a key'),
    h('p', null, 'An operator makes one with ', h('code', null, 'tidemark keys create'), '. It is kept in this tab until it is closed, and sent to this server only.'),
    h('label', { for: 'key' }, 'Key'),
    h('input', { id: 'key', name: 'key', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 200, pattern: '\\s*[\\x21-\\x7e]+\\s*', title: 'tdm_ and what follows, without spaces', oninput: () => { if (state.entry.error !== null) { state.entry.error = null; changed(); } } }),
    error === null ? null : h('p.error', { role: 'alert' }, error),
    h('div.buttons', null,
      key.get() === null ? null : h('button', { type: 'button', disabled: busy, onclick: forget }, 'Forget the key'),
      h('button', { type: 'button', disabled: busy, onclick: close }, 'Cancel'), h('button.primary', { type: 'submit', disabled: busy }, busy ? 'Trying it…' : 'Use the key'))));
}
