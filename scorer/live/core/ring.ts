/** The latest items of a numbered sequence that begins at 1, within a bound of bytes. */
export interface Ring<T> {
  /** The next item. */
  push(item: T, bytes: number): void;
  /** Whether every item after number n is still here. */
  holdsAfter(n: number): boolean;
  after(n: number): Iterable<T>;
  /** Number of the last item. */
  readonly last: number;
  readonly bytes: number;
}

export function createRing<T>(bytesMax: number): Ring<T> {
  let items: (T | undefined)[] = [];
  let sizes: number[] = [];
  /** Items before it are gone. */
  let head = 0;
  let last = 0;
  let held = 0;

  function compact(): void {
    items = items.slice(head);
    sizes = sizes.slice(head);
    head = 0;
  }

  return {
    push(item, bytes) {
      items.push(item);
      sizes.push(bytes);
      last++;
      held += bytes;
      while (held > bytesMax) {
        held -= sizes[head] as number;
        items[head++] = undefined;
      }
      if (head > 1024 && head * 2 > items.length) compact();
    },
    holdsAfter: (n) => n <= last && n >= last - (items.length - head),
    *after(n) {
      for (let i = items.length - (last - n); i < items.length; i++) yield items[i] as T;
    },
    get last() { return last; },
    get bytes() { return held; },
  };
}
