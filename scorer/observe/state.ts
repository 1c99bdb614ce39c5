import { scorerHealth, type Dependency, type Probe, type ScorerHealth } from './health.js';
import type { ModelHolder } from '../model/swap.js';
import type { TrialHolder } from '../model/trial.js';
import type { OnlineStore } from '../store/online-store.js';

/** What the parts of a running scorer look at together. */
export interface ScorerState {
  health(): ScorerHealth;
  /** Whether the partition's records are taken by this process now. */
  serves(partition: number): boolean;
  /** Records of a newer view version have come: they wait, in Kafka, for a scorer of that version. */
  hold(viewVersion: number): void;
  held(): number | undefined;
}

export interface StateSources {
  readonly holder: ModelHolder;
  readonly trial?: TrialHolder;
  readonly store: OnlineStore;
  /** Undefined until records are taken. */
  tasks(): readonly { partition: number; lag: number; open: boolean }[] | undefined;
  readonly kafka: Probe;
  readonly registry: Probe;
}

export function createScorerState({ holder, trial, store, tasks, kafka, registry }: StateSources): ScorerState {
  const startedAt = performance.now();
  let heldFor: number | undefined;

  function kafkaState(): Dependency {
    const reached = kafka.state();
    const partitions = tasks();
    if (reached.status !== 'up') return reached;
    if (partitions === undefined) return { status: 'degraded', detail: 'records wait in Kafka for a first model' };
    const lag = partitions.reduce((sum, partition) => sum + partition.lag, 0);
    const facts = { partitions, lag };
    if (heldFor !== undefined) return { status: 'degraded', detail: `customer-features carries view version ${heldFor}: start a scorer of that version`, ...facts };
    const opening = partitions.filter(({ open }) => !open).length;
    return opening > 0 ? { status: 'degraded', detail: `${opening} partitions are being restored`, ...facts } : { status: 'up', ...facts };
  }

  function modelState(): Dependency {
    const model = holder.current();
    const refused = holder.failure();
    const facts = refused === undefined ? {} : { refused: { version: refused.version, reason: refused.message, at: new Date(refused.at).toISOString() } };
    if (model === undefined) return { status: 'down', detail: 'no model serves yet: `tidemark train` publishes one', ...facts };
    const beside = trial?.current();
    const challenger = beside === undefined ? {} : { challenger: { version: beside.model.manifest.version, mode: beside.mode, share: beside.share } };
    const { version, family, view, view_version } = model.manifest;
    return { status: refused === undefined ? 'up' : 'degraded', version, family, view, view_version, since: new Date(holder.since()).toISOString(), chunk_rows: model.chunkRows, ...challenger, ...facts };
  }

  return {
    health: () => scorerHealth({ kafka: kafkaState(), model: modelState(), store: { status: 'up', ...store.stats() }, registry: registry.state() }, performance.now() - startedAt),
    serves: (partition) => kafka.state().status === 'up' && (tasks()?.some((task) => task.partition === partition && task.open) ?? false),
    hold(viewVersion) { heldFor = viewVersion; },
    held: () => heldFor,
  };
}
