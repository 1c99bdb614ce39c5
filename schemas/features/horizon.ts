import type { FeatureView, Window } from './declaration.js';

const HOUR_MS = 3_600_000;

/** Length of a window, milliseconds; Infinity for a lifetime. */
export const windowMs = (window: Window): number => (window.unit === 'lifetime' ? Infinity : window.size * (window.unit === 'days' ? 24 : 1) * HOUR_MS);

/**
 * How many days back an event may still change the view: an event is too late when
 * floor(t / day) <= floor(T / day) - horizonDays. It is the longest window in days; a window of hours may begin on an
 * earlier day than its length in days says, so it counts one more. Infinity where the view has no window.
 */
export function horizonDays(view: FeatureView): number {
  let horizon = 0;
  for (const feature of view.features) {
    if (feature.aggregate === 'ratio' || feature.window.unit === 'lifetime') continue;
    const { unit, size } = feature.window;
    horizon = Math.max(horizon, unit === 'days' ? size : Math.ceil((size - 1) / 24) + 1);
  }
  return horizon === 0 ? Infinity : horizon;
}
