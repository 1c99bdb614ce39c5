import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { loadModel, type LoadedModel, type ModelCandidate } from './load.js';

/** Sessions that a process opens before it asks to be started afresh: ONNX Runtime's binding has leaked with each. */
export const MODEL_LOADS_MAX = 1000;

export interface ModelFailure {
  readonly version: string;
  readonly message: string;
  readonly at: number;
}

/** The model in service. */
export interface ModelHolder {
  /** The model to score the next chunk with. Take it anew for each chunk and do not keep it over an await. */
  current(): LoadedModel | undefined;
  /** The one that served before it: it scores where the current one fails. */
  standby(): LoadedModel | undefined;
  /** When the current one took over, epoch milliseconds. */
  since(): number;
  /** The last candidate that was refused, until a later one serves. */
  failure(): ModelFailure | undefined;
  /** Puts a candidate into service, or refuses it and keeps the present one. One candidate at a time. */
  offer(candidate: ModelCandidate): Promise<boolean>;
  /** Resolves once a model serves. */
  ready(): Promise<void>;
  close(): void;
}

export interface HolderOptions {
  readonly view: FeatureView;
  readonly log: Log;
  readonly clock?: () => number;
  readonly loadsMax?: number;
  /** Too many sessions were opened: end the process in order once convenient. */
  onWornOut?(): void;
  onRefused?(): void;
  onSwap?(model: LoadedModel, previous: LoadedModel | undefined): void;
}

/**
 * Scoring is synchronous, so between two calls no session is in use: exchanging the reference in one turn of
 * the event loop loses no row and scores none twice. The one before it stays loaded, for the case that the new one fails.
 */
export function createModelHolder({ view, log, clock = Date.now, loadsMax = MODEL_LOADS_MAX, onWornOut, onRefused, onSwap }: HolderOptions): ModelHolder {
  let current: LoadedModel | undefined;
  let standby: LoadedModel | undefined;
  let since = 0;
  let failure: ModelFailure | undefined;
  let loads = 0;
  let closed = false;
  let resolveReady: () => void;
  const ready = new Promise<void>((resolve) => { resolveReady = resolve; });

  return {
    current: () => current,
    standby: () => standby,
    since: () => since,
    failure: () => failure,
    ready: () => ready,
    async offer(candidate) {
      const { version } = candidate.manifest;
      let loaded: LoadedModel;
      loads++;
      try {
        loaded = await loadModel(candidate, view);
      } catch (error) {
        failure = { version, message: messageOf(error), at: clock() };
        onRefused?.();
        log.error('model_refused', error, { version, serving: current?.manifest.version ?? null });
        return false;
      } finally {
        if (loads === loadsMax) {
          log.warn('model_loads_exhausted', { loads, what: 'this process asks to be started afresh' });
          onWornOut?.();
        }
      }
      if (closed) {
        loaded.session.release();
        return false;
      }
      const previous = current;
      current = loaded;
      since = clock();
      failure = undefined;
      standby?.session.release();
      standby = previous;
      log.info('model_serving', { version, previous: previous?.manifest.version ?? null, family: candidate.manifest.family, chunk_rows: loaded.chunkRows, runtime: loaded.session.runtime, ...(loaded.not_walked === undefined ? {} : { not_walked: loaded.not_walked }) });
      onSwap?.(loaded, previous);
      resolveReady();
      return true;
    },
    close() {
      closed = true;
      for (const model of [current, standby]) model?.session.release();
      current = undefined;
      standby = undefined;
    },
  };
}
