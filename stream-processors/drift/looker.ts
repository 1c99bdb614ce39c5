import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Log } from '../../runtime/log.js';
import type { DriftRequest, DriftWindow, Measurement } from '../../schemas/drift/measurement.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { landedRange, partitionTimes, triageInput, versionInService } from './aggregates.js';
import type { PastLook, Policy } from './core/judge.js';
import { lookAt, type LookResult } from './core/look.js';
import { findDataBugs } from './core/triage/data-bugs.js';
import { NEW_WATCH, usualLooks, usualUntil, type Watch } from './core/watch.js';
import type { EventsBehind } from './events-landed.js';
import { featureMemories } from './policy.js';
import { measureDrift } from './report.js';
import type { MeasureTogether } from './together.js';
import type { DriftStore, LookAbout } from './store.js';

export interface LookerOptions {
  readonly client: ClickHouseClient;
  readonly store: DriftStore;
  readonly model: string;
  readonly view: FeatureView;
  readonly policy: Policy;
  readonly segments: readonly string[];
  readonly eventsBehind: EventsBehind;
  /** What retraining that version may be expected to win; null where nothing can be said. */
  readonly expectedGain: (modelVersion: string) => Promise<number | null>;
  /** All features together, where there is something to measure it with. */
  readonly together?: MeasureTogether | undefined;
  readonly log: Log;
}

/** A look that was made and is not written down as done yet. */
export interface MadeLook {
  readonly about: LookAbout;
  readonly measurements: readonly Measurement[];
  readonly result: LookResult;
  readonly tookMs: number;
}

/** Makes the looks of one model, window after window in event time. */
export interface Looker {
  /** Reads back where the last look left off; what was in memory is forgotten. */
  open(): Promise<void>;
  /** The next look, where a window is complete: measured, judged, its findings written. Asking again without `done` makes the same one again. */
  next(cooldownUntil: number): Promise<MadeLook | undefined>;
  done(look: MadeLook): Promise<void>;
  /** End of the last window looked at; event time that has landed; events that the next look waits for. */
  readonly position: { readonly window_to: number; readonly landed_to: number; readonly mode: string; readonly events_behind: number };
}

export function createLooker({ client, store, model, view, policy, segments, eventsBehind, expectedGain, together, log }: LookerOptions): Looker {
  const { windowMs, stepMs } = policy;
  const memories = featureMemories(view);
  let watch: Watch = NEW_WATCH;
  let version = '';
  let lastTo = 0;
  let landedTo = 0;
  let waitsFor = 0;
  let mode = 'waiting';
  let past: PastLook[] = [];
  /** The next looks rest on nothing that ended before. */
  const keptFrom = (window: DriftWindow): number => usualUntil(window, watch) - windowMs * (policy.historyWindows + 1);

  /** The first window of all begins at the first whole step that has predictions. */
  const nextWindow = (landed: DriftWindow): DriftWindow => {
    const to = lastTo > 0 ? lastTo + stepMs : Math.ceil(landed.from / stepMs) * stepMs + windowMs;
    return { from: to - windowMs, to };
  };

  async function isComplete(window: DriftWindow, landed: DriftWindow): Promise<boolean> {
    if (landed.to < window.to) return false;
    // Partitions land one by one. One that has no rows any more is waited for until the others are a whole window ahead.
    if (landed.to < window.to + windowMs && !(await partitionTimes(client, window.from)).every((at) => at >= window.to)) return false;
    waitsFor = await eventsBehind(window.to);
    return waitsFor === 0;
  }

  const requestOf = (window: DriftWindow, modelVersion: string): DriftRequest => ({ model, modelVersion, window, previous: { from: window.from - windowMs, to: window.from }, segments: [...segments] });
  const measure = (window: DriftWindow, modelVersion: string): Promise<Measurement[]> => measureDrift(client, requestOf(window, modelVersion));

  /** A version that is new in service: what is usual is measured against its own reference, back to the last change. */
  async function take(modelVersion: string, window: DriftWindow): Promise<void> {
    const { alarm, baseline_from, excluded } = watch;
    watch = { ...NEW_WATCH, baseline_from: alarm === null ? baseline_from : alarm.first.to, excluded };
    const quarantines = await store.quarantines(model);
    const usual = usualLooks(past, window, watch, quarantines, policy);
    // It may have served before, or have been measured by a process that was killed meanwhile.
    const known = new Map((await store.pastLooks(model, modelVersion, keptFrom(window), windowMs)).map(({ to, measurements }) => [to, measurements]));
    const again: PastLook[] = [];
    for (const look of usual) {
      const had = known.get(look.to);
      if (had !== undefined) {
        again.push({ from: look.from, to: look.to, measurements: had });
        continue;
      }
      // How well windows are told apart from the ones before them is no matter of the version; against its training rows it is learnt anew.
      const kept = look.measurements.filter(({ feature, against }) => feature === 'multivariate' && against === 'previous');
      const measurements = [...await measure(look, modelVersion), ...kept];
      await store.writeFindings({ model, modelVersion, window: { from: look.from, to: look.to } }, measurements, { judged: [], quarantines: [], alerts: [] });
      again.push({ from: look.from, to: look.to, measurements });
    }
    if (version !== '') log.info('version_in_service', { version: modelVersion, former: version, windows_of_history: again.length });
    past = again;
    version = modelVersion;
  }

  return {
    get position() { return { window_to: lastTo, landed_to: landedTo, mode, events_behind: waitsFor }; },
    async open() {
      const last = await store.lastLook(model);
      watch = last?.watch ?? NEW_WATCH;
      version = last?.modelVersion ?? '';
      lastTo = last?.window.to ?? 0;
      past = last === undefined ? [] : await store.pastLooks(model, version, keptFrom(last.window), windowMs);
    },
    async next(cooldownUntil) {
      const landed = await landedRange(client);
      if (landed === undefined) return undefined;
      landedTo = landed.to;
      const window = nextWindow(landed);
      if (!(await isComplete(window, landed))) return undefined;
      const startedAt = performance.now();
      const modelVersion = await versionInService(client, window.to - stepMs, window.to) ?? version;
      if (modelVersion !== version) await take(modelVersion, window);
      const quarantines = await store.quarantines(model);
      const [apart, triage] = [await measure(window, modelVersion), await triageInput(client, window, quarantines)];
      const measurements = [...apart, ...await together?.(requestOf(window, modelVersion)) ?? []];
      const found = lookAt({
        model, modelVersion, window, measurements, past, watch, findings: findDataBugs(triage), quarantines, policy, cooldownUntil,
        underWay: watch.alarm !== null && await store.underWay(model), memories,
      });
      const asks = found.events.some(({ decision }) => decision === 'retrain');
      const expected_gain = asks ? await expectedGain(modelVersion) : null;
      const result = asks ? { ...found, events: found.events.map((event) => (event.decision === 'retrain' ? { ...event, expected_gain } : event)) } : found;
      const about = { model, modelVersion, window };
      await store.writeFindings(about, measurements, result);
      return { about, measurements, result, tookMs: performance.now() - startedAt };
    },
    async done({ about, measurements, result }) {
      await store.writeLook(about, result);
      watch = result.watch;
      lastTo = about.window.to;
      mode = result.mode;
      past = [...past.filter(({ to }) => to > keptFrom(about.window) && to !== lastTo), { ...about.window, measurements }];
    },
  };
}
