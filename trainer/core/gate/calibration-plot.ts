import type { ReliabilityPoint } from '../reliability.js';

const COLUMNS = 41;
const ROWS = 21;

/** Share that churned (upwards) by mean score (to the right), as text: · is what should be, ● a bin, larger ones █. */
export function calibrationText(points: readonly ReliabilityPoint[]): string {
  const grid = Array.from({ length: ROWS }, () => new Array<string>(COLUMNS).fill(' '));
  const put = (x: number, y: number, mark: string): void => {
    const row = ROWS - 1 - Math.round(clamp(y) * (ROWS - 1));
    grid[row]![Math.round(clamp(x) * (COLUMNS - 1))] = mark;
  };
  for (let column = 0; column < COLUMNS; column++) put(column / (COLUMNS - 1), column / (COLUMNS - 1), '·');
  const total = points.reduce((sum, { rows }) => sum + rows, 0);
  for (const { mean_score, churn_rate, rows } of points) put(mean_score, churn_rate, rows >= total / points.length ? '█' : '●');
  const lines = grid.map((row, i) => `${i % 5 === 0 ? (1 - i / (ROWS - 1)).toFixed(2) : '    '} │${row.join('').trimEnd()}`);
  return [...lines, `     └${'─'.repeat(COLUMNS)}`, `      0.00      0.25      0.50      0.75     1.00`, ''].join('\n');
}

const SIZE = 320;
const MARGIN = 44;

/** The same as SVG, the champion beside it where there is one; no script, no font of its own, dark and light. */
export function calibrationSvg(candidate: readonly ReliabilityPoint[], champion: readonly ReliabilityPoint[] = []): string {
  const x = (value: number): string => (MARGIN + clamp(value) * SIZE).toFixed(1);
  const y = (value: number): string => (MARGIN / 2 + (1 - clamp(value)) * SIZE).toFixed(1);
  const total = candidate.reduce((sum, { rows }) => sum + rows, 0);
  const line = (points: readonly ReliabilityPoint[], style: string): string =>
    points.length === 0 ? '' : `<polyline fill="none" ${style} points="${points.map((p) => `${x(p.mean_score)},${y(p.churn_rate)}`).join(' ')}"/>`;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((value) =>
    `<text x="${x(value)}" y="${MARGIN / 2 + SIZE + 16}" text-anchor="middle">${value}</text><text x="${MARGIN - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value}</text>`);
  const dots = candidate.map(({ mean_score, churn_rate, rows }) =>
    `<circle cx="${x(mean_score)}" cy="${y(churn_rate)}" r="${(3 + 9 * Math.sqrt(rows / total)).toFixed(1)}"><title>score ${mean_score.toFixed(3)}, churned ${churn_rate.toFixed(3)}, ${rows} rows</title></circle>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE + MARGIN + 16} ${SIZE + MARGIN + 16}" font-family="sans-serif" font-size="11" fill="#777">`,
    `<rect x="${MARGIN}" y="${MARGIN / 2}" width="${SIZE}" height="${SIZE}" fill="none" stroke="#999"/>`,
    `<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#999" stroke-dasharray="4 4"/>`,
    ...ticks,
    `<text x="${MARGIN + SIZE / 2}" y="${MARGIN / 2 + SIZE + 32}" text-anchor="middle">mean score</text>`,
    `<text x="12" y="${MARGIN / 2 + SIZE / 2}" text-anchor="middle" transform="rotate(-90 12 ${MARGIN / 2 + SIZE / 2})">share that churned</text>`,
    line(champion, 'stroke="#999" stroke-width="1.5"'),
    line(candidate, 'stroke="#2a7ab0" stroke-width="2"'),
    `<g fill="#2a7ab0" fill-opacity="0.7">${dots.join('')}</g>`,
    ...(champion.length === 0 ? [] : [`<text x="${MARGIN + 8}" y="${MARGIN / 2 + 16}">blue: this version, grey: the champion</text>`]),
    '</svg>', '',
  ].filter((part) => part !== '').join('\n') + '\n';
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
