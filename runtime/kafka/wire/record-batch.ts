import { crc32c } from '@node-rs/crc32';

const HEADER_BYTES = 61;
const CRC_FROM = 21;
const TRANSACTIONAL = 0x10;

export interface BatchIdentity {
  readonly compression: number;
  readonly transactional: boolean;
  /** 64 bits, as kafkajs carries it. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

/**
 * The header of a record batch v2 over already encoded (and, where asked, compressed) records, and those records.
 * @param records bytes after the record count
 * @param firstTimestampMs base time; record deltas count from it
 * Format: https://kafka.apache.org/documentation/#recordbatch
 */
export function encodeBatch(records: Buffer, count: number, firstTimestampMs: number, maxTimestampMs: number, id: BatchIdentity): Buffer {
  const batch = Buffer.allocUnsafe(HEADER_BYTES + records.length);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(HEADER_BYTES - 12 + records.length, 8);
  batch.writeInt32BE(0, 12); // partition leader epoch
  batch.writeInt8(2, 16); // magic
  batch.writeInt16BE(id.compression | (id.transactional ? TRANSACTIONAL : 0), 21);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(BigInt(firstTimestampMs), 27);
  batch.writeBigInt64BE(BigInt(maxTimestampMs), 35);
  batch.writeBigInt64BE(id.producerId, 43);
  batch.writeInt16BE(id.producerEpoch, 51);
  batch.writeInt32BE(id.firstSequence, 53);
  batch.writeInt32BE(count, 57);
  records.copy(batch, HEADER_BYTES);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), 17);
  return batch;
}
