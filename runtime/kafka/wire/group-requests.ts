/**
 * Two requests of Kafka's protocol in the versions that kafkajs lacks: TxnOffsetCommit 3, which carries the member and its
 * generation (KIP-447: the group itself refuses a former member), and OffsetFetch 7, which can wait for offsets of open
 * transactions (KIP-447 as well). Brokers have both since 2.5. Layouts: kafka.apache.org/protocol, "flexible" versions:
 * compact strings and arrays (length + 1 as a varint), tagged fields (none are sent; those that come are skipped).
 */

/** Who commits. A group without members takes the one that nobody is. */
export interface Membership {
  readonly memberId: string;
  readonly generationId: number;
}
export const NOBODY: Membership = { memberId: '', generationId: -1 };

export interface TxnOffsetCommit {
  readonly transactionalId: string;
  readonly groupId: string;
  readonly producerId: { toString(): string } | number;
  readonly producerEpoch: number;
  readonly membership: Membership;
  readonly topics: readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[];
}

/** The body, with the tagged fields that end the request's header before it. */
export function encodeTxnOffsetCommit({ transactionalId, groupId, producerId, producerEpoch, membership, topics }: TxnOffsetCommit): Buffer {
  const out = new Writer().tags().string(transactionalId).string(groupId).int64(BigInt(producerId.toString())).int16(producerEpoch)
    .int32(membership.generationId).string(membership.memberId).varint(0).varint(topics.length + 1);
  for (const { topic, partitions } of topics) {
    out.string(topic).varint(partitions.length + 1);
    for (const { partition, offset } of partitions) out.int32(partition).int64(BigInt(offset)).int32(-1).varint(0).tags();
    out.tags();
  }
  return out.tags().done();
}

/** @returns the first error code that is not 0, or 0 */
export function decodeTxnOffsetCommit(response: Buffer): number {
  const read = new Reader(response);
  read.tags();
  read.int32(); // throttle time
  let failure = 0;
  for (let topics = read.varint() - 1; topics > 0; topics--) {
    read.string();
    for (let partitions = read.varint() - 1; partitions > 0; partitions--) {
      read.int32();
      const code = read.int16();
      if (failure === 0) failure = code;
      read.tags();
    }
    read.tags();
  }
  return failure;
}

export function encodeOffsetFetch(groupId: string, topic: string, partition: number): Buffer {
  return new Writer().tags().string(groupId).varint(2).string(topic).varint(2).int32(partition).tags().int8(1).tags().done();
}

/** @returns the committed offset of the one partition asked for, -1 where there is none */
export function decodeOffsetFetch(response: Buffer): { offset: number; error: number } {
  const read = new Reader(response);
  read.tags();
  read.int32(); // throttle time
  let offset = -1;
  let failure = 0;
  for (let topics = read.varint() - 1; topics > 0; topics--) {
    read.string();
    for (let partitions = read.varint() - 1; partitions > 0; partitions--) {
      read.int32();
      offset = Number(read.int64());
      read.int32(); // leader epoch
      read.string(); // metadata
      failure = read.int16();
      read.tags();
    }
    read.tags();
  }
  return { offset, error: read.int16() || failure };
}

class Writer {
  private readonly pieces: Buffer[] = [];
  private push(bytes: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.allocUnsafe(bytes);
    write(buffer);
    this.pieces.push(buffer);
    return this;
  }
  int8(value: number): this { return this.push(1, (b) => b.writeInt8(value)); }
  int16(value: number): this { return this.push(2, (b) => b.writeInt16BE(value)); }
  int32(value: number): this { return this.push(4, (b) => b.writeInt32BE(value)); }
  int64(value: bigint): this { return this.push(8, (b) => b.writeBigInt64BE(value)); }
  tags(): this { return this.int8(0); }
  varint(value: number): this {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.push(1, (b) => b.writeUInt8((rest % 128) + 128));
    return this.push(1, (b) => b.writeUInt8(rest));
  }
  string(text: string): this {
    const bytes = Buffer.from(text, 'utf8');
    this.varint(bytes.length + 1).pieces.push(bytes);
    return this;
  }
  done(): Buffer { return Buffer.concat(this.pieces); }
}

class Reader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}
  private step(size: number): number { return (this.at += size) - size; }
  int16(): number { return this.bytes.readInt16BE(this.step(2)); }
  int32(): number { return this.bytes.readInt32BE(this.step(4)); }
  int64(): bigint { return this.bytes.readBigInt64BE(this.step(8)); }
  varint(): number {
    for (let value = 0, place = 1; ; place *= 128) {
      const byte = this.bytes.readUInt8(this.step(1));
      value += (byte & 127) * place;
      if (byte < 128) return value;
    }
  }
  string(): string {
    const length = this.varint() - 1;
    return length < 0 ? '' : this.bytes.toString('utf8', this.step(length), this.at);
  }
  tags(): void {
    for (let count = this.varint(); count > 0; count--) {
      this.varint();
      this.step(this.varint());
    }
  }
}
