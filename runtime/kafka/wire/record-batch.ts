import { crc32c } from '@node-rs/crc32';

export const BATCH_HEADER_BYTES = 61;
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
 * Writes the header of a record batch v2 into the bytes before its records, which are encoded (and, where asked,
 * compressed) already.
 * @param batch BATCH_HEADER_BYTES of room, then everything after the record count
 * @param firstTimestampMs base time; record deltas count from it
 * Format: https://kafka.apache.org/documentation/#recordbatch
 */
export function writeBatchHeader(batch: Buffer, count: number, firstTimestampMs: number, maxTimestampMs: number, id: BatchIdentity): void {
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(0, 12); // partition leader epoch
  batch.writeInt8(2, 16); // magic
  batch.writeInt16BE(id.compression | (id.transactional ? TRANSACTIONAL : 0), CRC_FROM);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(BigInt(firstTimestampMs), 27);
  batch.writeBigInt64BE(BigInt(maxTimestampMs), 35);
  batch.writeBigInt64BE(id.producerId, 43);
  batch.writeInt16BE(id.producerEpoch, 51);
  batch.writeInt32BE(id.firstSequence, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), 17);
}
