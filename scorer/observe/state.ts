import { scorerHealth, type Dependency, type Probe, type ScorerHealth } from './health.js';
import type { ModelCalls } from '../model/calls.js';
import type { ModelHolder } from '../model/swap.js';
import type { TrialHolder } from '../model/trial.js';
import type { OnlineStore } from '../store/online-store.js';

/** What the parts of a running scorer look at together. */
export interface ScorerState {
  health(): ScorerHealth;
  /** From now on /health/ready says 503. */
  drain(): void;
  /** Whether the partition's records are taken by this process now. */
  serves(partition: number): boolean;
  /** Records of a newer view version have come: they wait, in Kafka, for a scorer of that version. */
  hold(viewVersion: number): void;
  held(): number | undefined;
}

export interface StateSources {
  readonly holder: ModelHolder;
  readonly trial?: TrialHolder;
  readonly calls?: ModelCalls;
  readonly store: OnlineStore;
  /** Undefined until records are taken. */
  tasks(): readonly { partition: number; lag: number; open: boolean }[] | undefined;
  readonly kafka: Probe;
  readonly registry: Probe;
  /** Of what answers requests, by name; looked up each time. */
  more?(): { readonly clickhouse: Dependency; readonly requests: Dependency };
  /** Seconds that the most stale partition is behind; undefined: not known. */
  staleS?(): number | undefined;
}

export function createScorerState({ holder, trial, calls, store, tasks, kafka, registry, more, staleS }: StateSources): ScorerState {
  const startedAt = performance.now();
  let heldFor: number | undefined;
  let draining = false;

  function kafkaState(): Dependency {
    const reached = kafka.state();
    const partitions = tasks();
    const stale = staleS?.();
    if (reached.status !== 'up') return { ...reached, ...(stale === undefined ? {} : { stale_s: stale }), detail: `${reached.detail ?? ''}: answers come from the online store` };
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
    const trouble = calls?.trouble();
    const failing = trouble === undefined ? {} : { detail: `its calls fail (${trouble.message}); ${trouble.served_by === 'nobody' ? 'scores are the fallback' : `${trouble.served_by} scores instead`}`, served_by: trouble.served_by };
    return { status: refused === undefined && trouble === undefined ? 'up' : 'degraded', version, family, view, view_version, since: new Date(holder.since()).toISOString(), chunk_rows: model.chunkRows, ...challenger, ...facts, ...failing };
  }

  return {
    health: () => scorerHealth({ kafka: kafkaState(), model: modelState(), store: { status: 'up', ...store.stats() }, registry: registry.state(), ...more?.() }, performance.now() - startedAt, draining),
    drain() { draining = true; },
    serves: (partition) => kafka.state().status === 'up' && (tasks()?.some((task) => task.partition === partition && task.open) ?? false),
    hold(viewVersion) { heldFor = viewVersion; },
    held: () => heldFor,
  };
}
