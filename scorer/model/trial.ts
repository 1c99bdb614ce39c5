import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { saltOf } from '../../schemas/ledger/share.js';
import type { TrialMode } from '../../schemas/events/shadow-prediction.js';
import { loadModel, type LoadedModel, type ModelCandidate } from './load.js';
import { MODEL_LOADS_MAX, type ModelFailure } from './swap.js';

export interface TrialTerms {
  readonly mode: TrialMode;
  /** Of the customers: those it serves as a canary, those it is compared on in shadow. */
  readonly share: number;
}

/** A version that is scored beside the champion. */
export interface Trial extends TrialTerms {
  readonly model: LoadedModel;
  /** Gives each customer a place (`placeOf`); those below the share belong to the trial. */
  readonly salt: number;
}

export interface TrialHolder {
  /** Take it anew for each chunk and do not keep it over an await. */
  current(): Trial | undefined;
  failure(): ModelFailure | undefined;
  /** Begins a trial, or changes the terms of the one of the same version. @returns false where the version cannot be loaded */
  begin(candidate: ModelCandidate, terms: TrialTerms): Promise<boolean>;
  end(): void;
  close(): void;
}

export interface TrialOptions {
  readonly view: FeatureView;
  readonly log: Log;
  readonly clock?: () => number;
  onChange?(trial: Trial | undefined): void;
  onWornOut?(): void;
}

/** The challenger's session. Like the champion's it is exchanged in one turn of the event loop, between two calls. */
export function createTrialHolder({ view, log, clock = Date.now, onChange, onWornOut }: TrialOptions): TrialHolder {
  let current: Trial | undefined;
  let failure: ModelFailure | undefined;
  let loads = 0;
  let closed = false;

  function set(trial: Trial | undefined): void {
    const previous = current;
    current = trial;
    if (previous !== undefined && previous.model !== trial?.model) previous.model.session.release();
    onChange?.(trial);
  }

  return {
    current: () => current,
    failure: () => failure,
    async begin(candidate, terms) {
      const { version } = candidate.manifest;
      let model = current?.model.manifest.version === version ? current.model : undefined;
      if (model !== undefined && current?.mode === terms.mode && current.share === terms.share) return true;
      if (model === undefined) {
        try {
          model = await loadModel(candidate, view);
        } catch (error) {
          failure = { version, message: messageOf(error), at: clock() };
          log.error('challenger_refused', error, { version });
          return false;
        }
        if (++loads === MODEL_LOADS_MAX) onWornOut?.();
        if (closed) {
          model.session.release();
          return false;
        }
      }
      failure = undefined;
      set({ ...terms, model, salt: saltOf(version) });
      log.info('challenger_scoring', { version, ...terms });
      return true;
    },
    end() {
      if (current === undefined) return;
      log.info('challenger_ended', { version: current.model.manifest.version });
      set(undefined);
    },
    close() {
      closed = true;
      if (current !== undefined) set(undefined);
    },
  };
}
