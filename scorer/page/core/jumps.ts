/** A customer whose risk rose lately: from what score to what, and what was known at both ends. */
export interface Jump<T> {
  readonly customerId: string;
  /** When the higher score was committed, epoch milliseconds. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly before: T;
  readonly after: T;
}

/** The largest rises of the last minutes, one a customer, so bounded in number that keeping them costs nothing. */
export interface Jumps<T> {
  /** Whether a row can change the list: only then its customer's former score is worth a look. */
  concerns(customerId: string, score: number): boolean;
  /** A new score after a former one. A rise that goes on counts from where it began; one that is taken back leaves the list. */
  offer(jump: Jump<T>): void;
  /** Largest rise first. */
  list(nowMs: number): readonly Jump<T>[];
}

export interface JumpOptions {
  readonly most: number;
  readonly window_ms: number;
  /** Smaller rises are none. */
  readonly rise_min: number;
}

export function createJumps<T>({ most, window_ms, rise_min }: JumpOptions): Jumps<T> {
  const held = new Map<string, Jump<T>>();
  /** The smallest rise that a full list holds: a score below it cannot have risen by more. */
  let least = rise_min;

  function measure(): void {
    least = rise_min;
    if (held.size < most) return;
    least = Infinity;
    for (const { from, to } of held.values()) least = Math.min(least, to - from);
  }
  function expire(nowMs: number): void {
    for (const [id, { at }] of held) if (nowMs - at > window_ms) held.delete(id);
    measure();
  }
  return {
    concerns: (customerId, score) => score > least || held.has(customerId),
    offer(jump) {
      const former = held.get(jump.customerId);
      if (former !== undefined) {
        if (jump.to - former.from < rise_min) held.delete(jump.customerId);
        else if (jump.to !== former.to) held.set(jump.customerId, { ...jump, from: former.from, before: former.before, at: jump.to > former.to ? jump.at : former.at });
        return measure();
      }
      if (jump.to - jump.from < rise_min) return;
      if (held.size >= most) expire(jump.at);
      if (held.size >= most) {
        let smallest: Jump<T> | undefined;
        for (const one of held.values()) if (smallest === undefined || one.to - one.from < smallest.to - smallest.from) smallest = one;
        if (smallest === undefined || jump.to - jump.from <= smallest.to - smallest.from) return;
        held.delete(smallest.customerId);
      }
      held.set(jump.customerId, jump);
      measure();
    },
    list(nowMs) {
      expire(nowMs);
      return [...held.values()].sort((a, b) => (b.to - b.from) - (a.to - a.from) || b.at - a.at);
    },
  };
}
