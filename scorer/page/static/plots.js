// @ts-check
/**
 * Small plots. Marks are drawn in a box of 100 by 100 that stretches to its place, with strokes that do not; words stand
 * beside them as text of the page. Each is an image with one sentence of what it shows; the figures stand in tables.
 */
import { h } from './vdom.js';

/** @typedef {import('./vdom.js').Child} Child */
/** @typedef {(number | null)[]} Values */

const fixed = (/** @type {number} */ value) => Number(value.toFixed(2));

/** @param {string} what @param {string} kind @param {...Child} marks */
export const plot = (what, kind, ...marks) => h(`svg.plot.${kind}`, { viewBox: '0 0 100 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': what }, ...marks);

/** Straight lines between values, broken where there is none. @param {Values} values @param {(value: number) => number} y @param {number} [x0] @param {number} [x1] */
export function linePath(values, y, x0 = 0, x1 = 100) {
  let path = '';
  let pen = false;
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) { pen = false; return; }
    path += `${pen ? 'L' : 'M'}${fixed(x0 + ((x1 - x0) * i) / Math.max(1, values.length - 1))} ${fixed(y(value))}`;
    // A value alone is a point: a stroke of no length with round ends.
    if (!pen && (values[i + 1] ?? null) === null) path += 'h0.01';
    pen = true;
  });
  return path;
}

/** @param {(number | null)[]} values */
const highest = (values) => values.reduce((/** @type {number} */ most, value) => Math.max(most, value ?? 0), 0);

/** @param {string} what @param {Values} values @param {{ top?: number, kind?: string }} [options] */
export function spark(what, values, { top = highest(values), kind = '' } = {}) {
  const y = (/** @type {number} */ value) => 96 - (92 * value) / (top || 1);
  const line = linePath(values, y);
  const first = values.findIndex((value) => value !== null);
  const solid = first === 0 && values.every((value) => value !== null);
  return plot(what, `spark${kind}`, solid ? h('path.fill', { d: `${line}L100 100L0 100Z` }) : null, h('path.line', { d: line }));
}

/** Columns of two distributions: what is expected as a filled shape, what is as a line of steps. @param {string} what @param {number[]} reference @param {number[]} now */
export function twoShapes(what, reference, now) {
  const top = Math.max(highest(reference), highest(now)) || 1;
  const steps = (/** @type {number[]} */ shares) => {
    const width = 100 / shares.length;
    return shares.map((share, i) => `${i === 0 ? 'M0' : 'H' + fixed(i * width)} ${i === 0 ? '' : 'V'}${fixed(98 - (94 * share) / top)}`).join('') + 'H100';
  };
  return plot(what, 'shapes', h('path.reference', { d: `${steps(reference)}V100H0Z` }), h('path.now', { d: steps(now) }));
}

/** From one score to another on the way from 0 to 1. @param {number} from @param {number} to @param {number} threshold */
export function rise(from, to, threshold) {
  const risky = to >= threshold;
  return h('svg.plot.rise', { viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('path.axis', { d: 'M0 50H100' }), h('path.threshold', { d: `M${threshold * 100} 18V82` }),
    h(`path.move${risky ? '.risk' : ''}`, { d: `M${fixed(from * 100)} 50H${fixed(to * 100)}` }),
    h(`path.end${risky ? '.risk' : ''}`, { d: `M${fixed(to * 100)} 50h0.01` }));
}

/**
 * Scores over time: a column a slot, a cell a twentieth of the scores, darker where more of the slot's rows are.
 * @param {HTMLCanvasElement} canvas @param {number[][]} slots @param {number} threshold
 */
export function drawHeat(canvas, slots, threshold) {
  const style = getComputedStyle(canvas);
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext('2d');
  if (pen === null) return;
  pen.clearRect(0, 0, width, height);
  const bins = slots[0]?.length ?? 1;
  const [low, high] = [style.getPropertyValue('--tide'), style.getPropertyValue('--risk')];
  slots.forEach((rows, i) => {
    const most = highest(rows);
    if (most === 0) return;
    rows.forEach((count, bin) => {
      if (count === 0) return;
      pen.globalAlpha = 0.1 + 0.9 * Math.sqrt(count / most);
      pen.fillStyle = (bin + 0.5) / bins >= threshold ? high : low;
      const [x, y] = [Math.floor((i * width) / slots.length), Math.floor(((bins - 1 - bin) * height) / bins)];
      pen.fillRect(x, y, Math.ceil(((i + 1) * width) / slots.length) - x - (width > 400 ? 1 : 0), Math.ceil(((bins - bin) * height) / bins) - y - 1);
    });
  });
  pen.globalAlpha = 1;
}

/**
 * A table that stands in for a plot.
 * @param {string} caption @param {string[]} titles @param {Child[][]} rows the first cell names its row
 */
export const table = (caption, titles, rows) => h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': caption },
  h('table.figures', null, h('caption', null, caption),
    h('thead', null, h('tr', null, ...titles.map((title, i) => h('th', { scope: 'col', class: i > 0 ? 'n' : null }, title)))),
    h('tbody', null, ...rows.map(([first, ...rest]) => h('tr', null, h('th', { scope: 'row' }, first), ...rest.map((cell) => h('td.n', null, cell)))))));
