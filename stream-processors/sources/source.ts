/** Where the first part of a source ends and the second begins: a model is trained in between. */
export type Phase = 'history' | 'live';

export interface Progress {
  readonly phase: Phase;
  /** Items acknowledged since the source's beginning, of `total` in this phase; undefined where it has no end. */
  readonly published: number;
  readonly total: number | undefined;
  /** Event time of the last one, epoch milliseconds. */
  readonly event_time_ms: number;
}

export interface PhaseResult {
  /** Items that this run published in this phase. */
  readonly published: number;
  /** Offset after everything published, by partition of customer-events: reached means processed. */
  readonly next_offsets: readonly number[];
  /** Whether the source has no more to give. */
  readonly ended: boolean;
}

/** Something that publishes customer events in two phases: a replayed file, simulated customers. */
export interface EventSource {
  /** Event time at which history ends, epoch milliseconds. */
  readonly history_until_ms: number;
  /** History as fast as it goes. Returns at once where a former run has published it. */
  history(onProgress?: (progress: Progress) => void): Promise<PhaseResult>;
  /** The rest, paced; until its end or `stop`. */
  live(onProgress?: (progress: Progress) => void): Promise<PhaseResult>;
  /** Ends the phase under way after what is sent is acknowledged, and closes. */
  stop(): Promise<void>;
}
