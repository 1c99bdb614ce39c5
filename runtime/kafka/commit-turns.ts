import { TidemarkError } from '../errors.js';
import type { CommitEntry, OutputWriter, Written } from './output-writer.js';
import type { Membership } from './wire/group-requests.js';

export interface CommitTurnsOptions {
  readonly writer: OutputWriter;
  /** The member that this process is now. */
  membership(): Membership;
  /** Shortest time between the beginnings of two rounds. */
  readonly intervalMs: number;
  /** Rows in a round beyond which further partitions wait for the next one. */
  readonly rowsMax: number;
  /** Commits under way at a time. */
  readonly commitsMax: number;
  readonly now?: () => number;
}

/** Leave for one partition to take records, for the commit that the round ends with. It ends with `commit` or `leave`. */
export interface Turn {
  readonly round: Round;
  ended: boolean;
}

interface Round {
  readonly membership: Membership;
  /** Partitions that have not come back. */
  atWork: number;
  late: NodeJS.Timeout | undefined;
}

/** How long a round waits for a partition that is at work (a schema to fetch); it goes with the next commit then. */
const LATE_MS = 50;

interface Waiting { readonly rows: number; grant(turn: Turn): void }
interface Ready { readonly entry: CommitEntry; readonly turn: Turn; resolve(written: Written): void; reject(error: unknown): void }

/**
 * Gathers the partitions of a process into common commits: a round begins when one of them has records and the interval since
 * the last is over, gives every partition with records its turn, and ends with one write for all. While it is being written
 * the next round may begin, with partitions that are not part of it.
 */
export class CommitTurns {
  private waiting: Waiting[] = [];
  private ready: Ready[] = [];
  private current: Round | undefined;
  private writing = 0;
  private beganAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private readonly now: () => number;

  constructor(private readonly options: CommitTurnsOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  /** Ready to write again after an error, as at the start. */
  open(): Promise<void> { return this.options.writer.open(); }

  /** Resolves when it is this partition's turn. @param rows that wait there */
  next(rows: number): Promise<Turn> {
    return new Promise((grant) => {
      this.waiting.push({ rows, grant });
      this.schedule();
    });
  }

  /** Adds what a partition made of its turn to the commit that ends it. @returns once that commit is durable */
  commit(turn: Turn, entry: CommitEntry): Promise<Written> {
    return new Promise((resolve, reject) => {
      this.ready.push({ entry, turn, resolve, reject });
      this.back(turn);
    });
  }

  /** Ends a partition's turn with nothing to write; after `commit` it changes nothing. */
  leave(turn: Turn): void { this.back(turn); }

  private back(turn: Turn): void {
    if (turn.ended) return;
    turn.ended = true;
    turn.round.atWork--;
    if (this.current !== turn.round) this.schedule(); // came late: goes with the next
    else if (this.current.atWork === 0) this.end();
  }

  private schedule(): void {
    const { intervalMs, rowsMax, commitsMax } = this.options;
    if (this.current !== undefined || this.timer !== undefined || this.writing >= commitsMax || this.waiting.length + this.ready.length === 0) return;
    const early = this.beganAt + intervalMs - this.now();
    if (early > 0) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.schedule();
      }, early);
      return;
    }
    this.beganAt = this.now();
    let rows = 0;
    let count = 0;
    while (count < this.waiting.length && (count === 0 || rows + this.waiting[count]!.rows <= rowsMax)) rows += this.waiting[count++]!.rows;
    const granted = this.waiting.splice(0, count);
    const round: Round = { membership: this.options.membership(), atWork: granted.length, late: undefined };
    this.current = round;
    if (granted.length === 0) return this.end();
    round.late = setTimeout(() => { if (this.current === round) this.end(); }, LATE_MS);
    for (const { grant } of granted) grant({ round, ended: false });
  }

  private end(): void {
    const { late, membership } = this.current!;
    clearTimeout(late);
    this.current = undefined;
    const isMember = ({ turn }: Ready): boolean => turn.round.membership.generationId === membership.generationId;
    const ready = this.ready.filter(isMember);
    // A partition that worked through a rebalance may have lost what it worked on: with its old generation the group would refuse it.
    for (const { entry, reject } of this.ready.filter((one) => !isMember(one)))
      reject(new TidemarkError('PRODUCER_FENCED', `partition ${entry.partition}: the group has a new generation since its records were taken`));
    this.ready = [];
    if (ready.length > 0) void this.write(ready, membership);
    this.schedule();
  }

  private async write(ready: readonly Ready[], membership: Membership): Promise<void> {
    this.writing++;
    try {
      const written = await this.options.writer.write(ready.map(({ entry }) => entry), membership);
      ready.forEach(({ resolve }, i) => resolve(written[i]!));
    } catch (error) {
      for (const { reject } of ready) reject(error);
    } finally {
      this.writing--;
      this.schedule();
    }
  }
}
