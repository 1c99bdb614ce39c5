import { EncodedRecords } from './wire/record-writer.js';
import type { TransactionOutput } from './records.js';

/** Below the broker's default message.max.bytes (1,048,588) with room for the batch header and one more record. */
const SEGMENT_BYTES = 900_000;
type Headers = Readonly<Record<string, Buffer | string>>;

/** The outputs of one transaction, encoded as they come; a batch that the broker would refuse for its size is split. */
export class OutputBuffer implements TransactionOutput {
  private readonly own = new Map<string, EncodedRecords[]>();
  private readonly foreign: { topic: string; records: EncodedRecords }[] = [];
  private readonly spare: EncodedRecords[] = [];
  count = 0;

  constructor(private readonly partition: number) {}

  append(topic: string, key: Buffer | null, value: Buffer | null, headers?: Headers): void {
    this.segment(topic, (key?.length ?? 0) + (value?.length ?? 0)).append(key, value, headers);
    this.count++;
  }

  appendText(topic: string, key: string, bytes: Buffer, from: number, to: number): void {
    this.segment(topic, key.length + to - from).appendText(key, bytes, from, to);
    this.count++;
  }

  private segment(topic: string, bytes: number): EncodedRecords {
    let segments = this.own.get(topic);
    if (segments === undefined) this.own.set(topic, (segments = []));
    let last = segments[segments.length - 1];
    if (last === undefined || (last.length > 0 && last.bytes + bytes > SEGMENT_BYTES)) segments.push((last = this.spare.pop() ?? new EncodedRecords(this.partition)));
    return last;
  }

  appendTo(topic: string, partition: number, key: Buffer | null, value: Buffer | null, headers?: Headers): void {
    const last = this.foreign.findLast((entry) => entry.topic === topic && entry.records.partition === partition);
    const records = last !== undefined && last.records.bytes + (value?.length ?? 0) <= SEGMENT_BYTES ? last.records : new EncodedRecords(partition, 4096);
    if (records !== last?.records) this.foreign.push({ topic, records });
    records.append(key, value, headers);
    this.count++;
  }

  /** What to send, in order: a round has at most one piece for a partition of a topic. */
  *rounds(): Generator<{ topic: string; messages: EncodedRecords }[]> {
    const depth = Math.max(0, ...[...this.own.values()].map((segments) => segments.length));
    for (let i = 0; i < depth; i++)
      yield [...this.own].flatMap(([topic, segments]) => (segments[i] === undefined ? [] : [{ topic, messages: segments[i]! }]));
    for (const { topic, records } of this.foreign) yield [{ topic, messages: records }];
  }

  clear(): void {
    for (const segments of this.own.values()) {
      for (const segment of segments) {
        segment.clear();
        if (this.spare.length < 8) this.spare.push(segment);
      }
      segments.length = 0;
    }
    this.foreign.length = 0;
    this.count = 0;
  }
}
