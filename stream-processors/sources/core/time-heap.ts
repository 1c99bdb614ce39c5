/** A binary min-heap of slots by time; ties go to the smaller slot, so that the order is the same on every run. */
export class TimeHeap {
  private slots = new Int32Array(1024);
  private times = new Float64Array(1024);
  size = 0;

  get topSlot(): number { return this.slots[0]!; }
  get topTime(): number { return this.size === 0 ? Infinity : this.times[0]!; }

  push(slot: number, time: number): void {
    if (this.size === this.slots.length) {
      const slots = new Int32Array(this.size * 2);
      const times = new Float64Array(this.size * 2);
      slots.set(this.slots);
      times.set(this.times);
      this.slots = slots;
      this.times = times;
    }
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(time, slot, this.times[parent]!, this.slots[parent]!)) break;
      this.times[at] = this.times[parent]!;
      this.slots[at] = this.slots[parent]!;
      at = parent;
    }
    this.times[at] = time;
    this.slots[at] = slot;
  }

  /** Gives the top slot a later time. */
  replaceTop(time: number): void {
    this.sink(this.slots[0]!, time);
  }

  pop(): void {
    const last = --this.size;
    if (last > 0) this.sink(this.slots[last]!, this.times[last]!);
  }

  private sink(slot: number, time: number): void {
    const { slots, times, size } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && before(times[child + 1]!, slots[child + 1]!, times[child]!, slots[child]!)) child++;
      if (!before(times[child]!, slots[child]!, time, slot)) break;
      times[at] = times[child]!;
      slots[at] = slots[child]!;
      at = child;
    }
    times[at] = time;
    slots[at] = slot;
  }
}

function before(timeA: number, slotA: number, timeB: number, slotB: number): boolean {
  return timeA < timeB || (timeA === timeB && slotA < slotB);
}
