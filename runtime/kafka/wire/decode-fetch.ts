import { BATCH_HEADER_BYTES, codecOf, isControl, readBatchHeader } from './record-reader.js';
import type { RawBatch } from './fetched-batch.js';

const LENGTH_AT = 8;
const MAGIC_AT = 16;
const MAGIC = 2;

/** kafkajs's reader over a response, as far as it is used here. */
interface ResponseDecoder {
  readInt32(): number;
  readBytes(length: number): Buffer;
}
type Decompress = (codec: number, bytes: Buffer) => Promise<Buffer>;

/** Splits the record sets of a fetch response into batches; a batch cut off by the response's size limit is left for the next fetch. */
export async function decodeRecordSets(decoder: ResponseDecoder, decompress: Decompress): Promise<RawBatch[]> {
  const size = decoder.readInt32();
  if (size <= 0) return [];
  const bytes = decoder.readBytes(size);
  const batches: RawBatch[] = [];
  let at = 0;
  while (at + BATCH_HEADER_BYTES <= bytes.length) {
    const end = at + 12 + bytes.readInt32BE(at + LENGTH_AT);
    if (end > bytes.length) break;
    const magic = bytes.readInt8(at + MAGIC_AT);
    if (magic !== MAGIC) throw new Error(`record batch of format ${magic}: only format 2 (Kafka 0.11 and later) is read; rewrite the topic with a current producer`);
    const header = readBatchHeader(bytes, at);
    const codec = codecOf(header);
    if (codec === 0 || isControl(header)) batches.push({ header, bytes, recordsAt: at + BATCH_HEADER_BYTES });
    else batches.push({ header, bytes: await decompress(codec, bytes.subarray(at + BATCH_HEADER_BYTES, end)), recordsAt: 0 });
    at = end;
  }
  return batches;
}
