// @ts-check
/** What the page knows, and the one way to have it drawn again. */

/** @typedef {{ at: number | null, value: any, error?: { code: string, detail: string } }} Section */

export const state = {
  /** @type {any} the last answer of /page/overview */
  overview: null,
  /** @type {any} the last answer of /page/drift */
  drift: null,
  /** @type {{ id: string, latest: any, history: any, why: { explanation?: any, recent?: any, problem?: string } | null, missing: boolean, error: string | null } | null} */
  customer: null,
  /** When the overview was last answered, by this machine's clock. */
  heardAt: 0,
  /** The server's clock less this machine's, ms. */
  ahead: 0,
  /** @type {{ status: number, detail: string, retryAt: number | null } | null} why the last question was not answered */
  trouble: null,
  /** @type {'connecting' | 'connected' | 'waiting' | 'closed'} */
  socket: 'connecting',
  /** Panels that show their figures as a table. @type {Set<string>} */
  tables: new Set(),
  /** @type {'retrain' | 'key' | null} */
  dialog: null,
  /** What the key dialog is at. @type {{ busy: boolean, error: string | null }} */
  entry: { busy: false, error: null },
  /** @type {{ busy: boolean, error: string | null, why: string, key: string }} */
  retrain: { busy: false, error: null, why: '', key: '' },
};

/** The server's time now. */
export const now = () => Date.now() + state.ahead;

/** @type {() => void} */
let draw = () => undefined;
/** @param {() => void} how */
export const drawWith = (how) => { draw = how; };

let asked = false;
/** Draws before the next frame, once for all that changed. */
export function changed() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
}

/** Draws at once: what a person asked for is there when they go on, and their keys go to what they opened. */
export const drawNow = () => draw();

/** Tells those who do not see the page; used sparingly. @param {string} text */
export function say(text) {
  const place = document.getElementById('said');
  if (place !== null && place.textContent !== text) place.textContent = text;
}
