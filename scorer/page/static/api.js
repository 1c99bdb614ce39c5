// @ts-check
/** What the server answers, and how often it is asked. The key stays in this tab. */

const KEY = 'tidemark-key';
export const key = {
  get: () => sessionStorage.getItem(KEY),
  /** @param {string | null} value */
  set: (value) => (value === null ? sessionStorage.removeItem(KEY) : sessionStorage.setItem(KEY, value)),
};
/** A browser cannot set headers on a WebSocket: there the key travels as a subprotocol. */
export const protocols = () => { const mine = key.get(); return mine === null ? [] : ['tidemark.v1', `tidemark.key.${mine}`]; };
export const socketUrl = () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;

const DEADLINE_MS = 15_000;

/** An answer that is none: `status` 0 where the server was not reached. */
export class Refused extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** @param {string} path @param {unknown} [body] @param {string | null} [mine] another key than this tab’s @returns {Promise<any>} */
export async function ask(path, body, mine = key.get()) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json', ...(mine === null ? {} : { 'x-api-key': mine }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  let answer;
  try {
    answer = await fetch(path, { method: body === undefined ? 'GET' : 'POST', headers, signal: AbortSignal.timeout(DEADLINE_MS), ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch (error) {
    throw new Refused(0, String(error));
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, said.detail ?? `the server answered ${answer.status}`);
  return said;
}

/**
 * Asks again and again: at a pace while it works, with growing pauses while it does not, and not at all while nobody looks.
 * `load` may say that the next question comes sooner.
 * @param {{ every_ms: number, load: () => Promise<number | undefined | void>, failed: (error: Refused, retryAt: number | null) => void }} options
 */
export function poll({ every_ms, load, failed }) {
  const MOST_MS = 20_000;
  let failures = 0;
  let stopped = false;
  let running = false;
  /** Asked for while an answer was under way: that one may be of a former key. */
  let once_more = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  async function turn() {
    clearTimeout(timer);
    once_more = running;
    if (stopped || running || document.hidden) return;
    running = true;
    let pause = every_ms;
    try {
      pause = await load() ?? every_ms;
      failures = 0;
    } catch (error) {
      const refused = error instanceof Refused ? error : new Refused(-1, String(error));
      // Without a key, or with the wrong one, asking again changes nothing until there is another.
      const final = refused.status === 401 || refused.status === 403;
      pause = Math.min(MOST_MS, 1000 * 2 ** failures++) * (0.75 + Math.random() / 2);
      if (final) pause = MOST_MS;
      failed(refused, final ? null : Date.now() + pause);
    }
    running = false;
    if (!stopped) timer = setTimeout(turn, once_more ? 0 : pause);
  }
  const seen = () => { if (!document.hidden) void turn(); };
  document.addEventListener('visibilitychange', seen);
  void turn();
  return {
    now: () => void turn(),
    stop() { stopped = true; clearTimeout(timer); document.removeEventListener('visibilitychange', seen); },
  };
}
