import { MISSING_BIN } from '../../schemas/drift/bins.js';
import { createProfiler } from '../../schemas/drift/profiler.js';
import { triggerSegment } from '../../schemas/drift/segments.js';
import type { FeatureProfile } from '../../schemas/events/model.js';
import { TENURE_FEATURE, tenureSegment } from '../../schemas/segments.js';

/** Rows of a training set, as far as a profile looks at them. */
export interface ProfiledRows {
  readonly feature_names: readonly string[];
  readonly rows: number;
  readonly values: Float32Array;
  readonly on_event: Uint8Array;
}

/** A feature of the view, if it has it, that says whether a snapshot's customer was silent for a day, as those are whom a sweep scores. */
const LAST_DAY = 'events_24h';

/**
 * The reference that drift is measured against: the histograms of every feature over the rows that the model was fitted on,
 * and of its scores over those held out, in all rows, by tenure, by what made the row, and by both.
 */
export function profileOf(train: ProfiledRows, holdout: ProfiledRows, scores: ArrayLike<number>): FeatureProfile[] {
  const profiler = createProfiler();
  const [ofTrain, ofHoldout] = [cellOf(train), cellOf(holdout)];
  const columns = train.feature_names.length;
  for (let row = 0; row < train.rows; row++) {
    const cell = ofTrain(row);
    train.feature_names.forEach((name, column) => profiler.add(cell, name, train.values[row * columns + column]!));
  }
  for (let row = 0; row < holdout.rows; row++) profiler.add(ofHoldout(row), 'score', scores[row]!);
  return merged(profiler.profiles());
}

/** Each row stands in one cell, `tenure|trigger`, so that it is counted once; segments are sums of cells. */
function cellOf(rows: ProfiledRows): (row: number) => string {
  const { feature_names, values, on_event } = rows;
  const tenure = feature_names.indexOf(TENURE_FEATURE);
  const silent = silentRows(rows);
  return (row) => {
    const trigger = on_event[row] === 1 ? 'event' : silent(row) ? 'sweep' : '';
    return `${tenure < 0 ? '' : tenureSegment(values[row * feature_names.length + tenure]!)}|${trigger}`;
  };
}

/** Snapshots like those that a sweep makes: of customers who had been silent for a day. */
export function silentRows({ feature_names, values, on_event }: Pick<ProfiledRows, 'feature_names' | 'values' | 'on_event'>): (row: number) => boolean {
  const lastDay = feature_names.indexOf(LAST_DAY);
  return (row) => on_event[row] === 0 && (lastDay < 0 || values[row * feature_names.length + lastDay] === 0);
}

function merged(cells: readonly FeatureProfile[]): FeatureProfile[] {
  const segments = new Map<string, FeatureProfile>();
  for (const cell of cells) {
    const [tenure, trigger] = cell.segment.split('|') as [string, '' | 'event' | 'sweep'];
    const names = new Set(['', tenure, ...(trigger === '' ? [] : [triggerSegment('', trigger), triggerSegment(tenure, trigger)])]);
    for (const segment of names) {
      const key = `${segment}\n${cell.feature}`;
      const before = segments.get(key);
      segments.set(key, before === undefined ? { ...cell, segment } : sumOf(before, cell));
    }
  }
  return [...segments].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, profile]) => profile);
}

function sumOf(a: FeatureProfile, b: FeatureProfile): FeatureProfile {
  const counts = new Map(a.bins.map((bin, i) => [bin, a.rows[i]!]));
  b.bins.forEach((bin, i) => counts.set(bin, (counts.get(bin) ?? 0) + b.rows[i]!));
  const bins = [...counts.keys()].sort((x, y) => x - y);
  const known = [a, b].filter((one) => one.bins.some((bin) => bin !== MISSING_BIN));
  return {
    feature: a.feature, segment: a.segment, bins, rows: bins.map((bin) => counts.get(bin)!), total: a.total + b.total, squares: a.squares + b.squares,
    low: known.length === 0 ? 0 : Math.min(...known.map(({ low }) => low)), high: known.length === 0 ? 0 : Math.max(...known.map(({ high }) => high)),
  };
}
