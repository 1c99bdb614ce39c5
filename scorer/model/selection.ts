import type { Log } from '../../runtime/log.js';
import type { ModelVersion } from '../../runtime/models/assemble.js';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import type { ModelStage } from '../../schemas/events/model.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { deploymentOf, type LedgerStep } from '../../schemas/ledger/deployment.js';
import { wanted, type KnownVersion } from '../core/selection.js';
import { bookOf, type BookedVersion } from './book.js';
import type { ModelHolder } from './swap.js';
import type { TrialHolder } from './trial.js';

export interface SelectionOptions {
  readonly log: Log;
  /** MODEL_NAME */
  readonly model: string;
  readonly view: FeatureView;
  readonly holder: ModelHolder;
  readonly trial?: TrialHolder;
  /** SHADOW_SHARE */
  readonly shadowShare?: number;
  /** Told what is known of the versions, after each change. */
  booked?(versions: readonly BookedVersion[]): void;
  /** Reads a version from `models` again whose bytes were let go. */
  fetch?(version: string): Promise<ModelVersion | undefined>;
}

/** Versions whose bytes are kept though nothing names them yet: a version mostly comes just before the entry that names it. */
const RECENT_MAX = 2;

interface Known extends KnownVersion { readonly stage: ModelStage }

/** Holds what was read of `models` and `models.ledger` and puts what follows from it into service. */
export function createModelSelection({ log, model, view, holder, trial, shadowShare = 1, booked, fetch }: SelectionOptions) {
  const known = new Map<string, Known>();
  const bytes = new Map<string, ModelVersion>();
  let entries: LedgerStep[] = [];
  const refused = new Set<number>();

  async function candidateOf(version: string): Promise<ModelVersion | undefined> {
    return bytes.get(version) ?? (await fetch?.(version));
  }

  async function serveFirst(champions: readonly string[]): Promise<void> {
    for (const version of champions) {
      if (holder.current()?.manifest.version === version) return;
      const { offset } = known.get(version)!;
      const candidate = await candidateOf(version);
      if (candidate !== undefined && (await holder.offer(candidate))) return;
      refused.add(offset);
    }
  }

  /** Bytes of what is served, of what may be next, and of the latest. */
  function letGo(kept: readonly string[]): void {
    const unnamed = [...bytes.keys()].filter((version) => !kept.includes(version));
    for (const version of unnamed.slice(0, Math.max(0, unnamed.length - RECENT_MAX))) bytes.delete(version);
  }

  const deploymentNow = () => deploymentOf(entries, [...known].map(([version, { stage }]) => ({ version, stage })));
  const wantedNow = () => wanted(deploymentNow(), known, refused);

  return {
    take(candidate: ModelVersion): void {
      const { manifest, offset } = candidate;
      const { version, stage } = manifest;
      if (manifest.model !== model) return;
      const fits = manifest.view === view.name && manifest.view_version === view.version;
      if (!fits) log.warn('model_passed_over', { version, reason: `made for view ${manifest.view} version ${manifest.view_version}, this scorer has ${view.name} version ${view.version}` });
      known.delete(version); // a version published again stands last
      known.set(version, { offset, stage, fits });
      bytes.delete(version);
      if (!fits) return;
      bytes.set(version, candidate);
      const { champions, challenger } = wantedNow();
      letGo([...champions, challenger?.version ?? '']);
    },
    ledger(more: readonly LedgerEntry[]): void {
      entries.push(...more.map(({ entry_id, at, version, action, share, champion, by }) => ({ entry_id, at, version, action, share, champion, by })));
    },
    forgetLedger(): void { entries = []; },
    /** Puts the newest champion into service that is not refused; where there is none the present model stays. Then the challenger. */
    async apply(): Promise<void> {
      booked?.(bookOf(deploymentNow(), known, entries));
      await serveFirst(wantedNow().champions);
      const { champions, challenger } = wantedNow();
      letGo([...champions, challenger?.version ?? '']);
      if (trial === undefined) return;
      if (challenger === undefined || holder.current() === undefined || challenger.version === holder.current()?.manifest.version) return trial.end();
      const { version, mode, share } = challenger;
      const { offset } = known.get(version)!;
      const candidate = await candidateOf(version);
      const begun = candidate !== undefined && (await trial.begin(candidate, { mode, share: mode === 'shadow' ? shadowShare : share }));
      if (begun) return;
      refused.add(offset);
      trial.end();
    },
  };
}
