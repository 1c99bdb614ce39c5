// @ts-check
/** How numbers, times and names are written. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const DAY_MS = 86_400_000;

/** Three digits that matter, thousands apart. @param {number | null | undefined} value */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 10_000_000) return `${(value / 1e6).toFixed(1)} M`;
  if (size >= 100 || Number.isInteger(value)) return whole.format(value);
  return size >= 10 ? value.toFixed(1) : size >= 0.1 || value === 0 ? value.toFixed(2) : value.toPrecision(2);
}
/** A feature's value in a sentence: one that is missing has a word. @param {number | null} value */
export const known = (value) => (value === null ? 'none' : number(value));
/** @param {number | null | undefined} value */
export const score = (value) => (value === null || value === undefined ? '–' : value.toFixed(2));
/** @param {number} value */
export const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
/** @param {number | null | undefined} share @param {number} [digits] */
export const percent = (share, digits = 1) => (share === null || share === undefined || !Number.isFinite(share) ? '–' : `${(100 * share).toFixed(digits)} %`);
/** @param {number | null | undefined} ms */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return '–';
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
/** @param {number} at @param {number} now */
export function ago(at, now) {
  const s = Math.max(0, Math.round((now - at) / 1000));
  if (s < 5) return 'just now';
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.round(s / 60)} min ago`;
  return s < 86_400 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86_400)} d ago`;
}
/** Event times are UTC, as everywhere in Tidemark. @param {number} ms */
export const day = (ms) => new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
/** @param {number} ms */
export const dayYear = (ms) => new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
/** @param {number} ms */
export const moment = (ms) => `${day(ms)} ${new Date(ms).toISOString().slice(11, 16)}`;
/** @param {number} ms */
export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');
/** A window of event time. @param {number} from @param {number} to */
export const span = (from, to) => (to - from <= DAY_MS ? dayYear(from) : `${day(from)} – ${dayYear(to - 1)}`);
/** The end of a version's name tells versions apart. @param {string} version */
export const short = (version) => (/^\d{8}T\d{6}Z-/.test(version) ? version.slice(17) : version.length > 18 ? `${version.slice(0, 17)}…` : version);
/** A feature in its view’s words, without what they add behind a semicolon. @param {string} feature @param {string | undefined} description */
export const words = (feature, description) => (description ?? plain(feature)).split(';')[0] ?? '';
/** @param {string} feature */
export const plain = (feature) => feature.replaceAll('_', ' ').replace(/ (\d+)([dh])$/, ' $1 $2');
