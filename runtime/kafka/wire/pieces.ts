/** A request body in pieces, so that its batches are copied once: into the bytes that go to the socket. */
export class Pieces {
  constructor(readonly list: Buffer[] = []) {}
  size(): number { return this.list.reduce((sum, { length }) => sum + length, 0); }
}
