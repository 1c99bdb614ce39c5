import type { Log } from '../../runtime/log.js';
import { messageOf } from '../../runtime/errors.js';

export interface PartitionCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

/** Writes offsets with their metadata as the group's present member. Kafka refuses it from a member of an earlier generation. */
export type CommitOffsets = (commits: readonly PartitionCommit[]) => Promise<void>;

/** Joins the commits of all partitions that come up while one is on its way into the next one. */
export interface Committer {
  /** False until the group has given a way to commit: before the first fetch there is nothing to write down either. */
  readonly ready: boolean;
  /**
   * Returns when the commit is written; tries for as long as `wanted` says so, which is asked before each attempt in the
   * same turn of the event loop.
   * @returns false when it was given up
   */
  commit(commit: PartitionCommit, wanted: () => boolean): Promise<boolean>;
}

interface Waiting {
  readonly commit: PartitionCommit;
  readonly wanted: () => boolean;
  readonly done: (written: boolean) => void;
}

const RETRY_MS = 200;

/** @param way how to commit now; undefined while there is none */
export function createCommitter(way: () => CommitOffsets | undefined, log: Log): Committer {
  let waiting: Waiting[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      // The group's state and our view of it change in one turn of the event loop, but not in one microtask: after a full
      // turn both are the same, and the generation that the request carries is the one in which `wanted` was asked.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = waiting.filter((one) => one.wanted() || (one.done(false), false));
      waiting = [];
      if (batch.length === 0) continue;
      try {
        const commitOffsets = way();
        if (commitOffsets === undefined) throw new Error('no batch was fetched yet');
        await commitOffsets(batch.map(({ commit }) => commit));
        for (const { done } of batch) done(true);
      } catch (error) {
        log.debug('commit_retried', { message: messageOf(error), partitions: batch.length });
        waiting.unshift(...batch);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    running = false;
  }

  return {
    get ready() { return way() !== undefined; },
    commit: (commit, wanted) => new Promise((done) => {
      waiting.push({ commit, wanted, done });
      if (!running) void run();
    }),
  };
}
