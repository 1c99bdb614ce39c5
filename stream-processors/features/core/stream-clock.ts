/** Events that a jump in time must be seen in before the clock follows: more than half of these. */
const RECENT = 15;

/**
 * The time that a stream stands at: the median of its latest event times, never going back. Single events that are ahead
 * of all others (a wrong clock, an event of today on a topic of years ago) do not move it.
 */
export class StreamClock {
  private readonly recent: number[] = [];
  private next = 0;

  /** @param timeMs where it stood before, epoch ms; 0 for a new stream */
  constructor(private timeMs: number) {}

  get nowMs(): number { return this.timeMs; }

  /** Takes the time of an accepted event. */
  take(eventMs: number): void {
    this.recent[this.next] = eventMs;
    this.next = (this.next + 1) % RECENT;
    // Only a time ahead of the clock can move it, and only then are the latest times looked at.
    if (eventMs <= this.timeMs || this.recent.length < RECENT) return;
    let ahead = 0;
    let least = Infinity;
    for (const time of this.recent)
      if (time > this.timeMs) {
        ahead++;
        if (time < least) least = time;
      }
    if (ahead > RECENT >> 1) this.timeMs = least;
  }
}
