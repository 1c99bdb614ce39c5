import { TidemarkError } from '../../errors.js';

/** kafkajs's codec: bodies of record batches. */
export interface BatchCodec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/**
 * The most bytes one batch may unpack to. Brokers bound the packed size only (message.max.bytes, 1 MB by default, and zstd
 * packs a thousandfold and more); a producer's own batch.size keeps honest batches far below this.
 */
export const UNPACKED_BYTES_MAX = 128 * 1024 * 1024;

export const tooLarge = (codec: string, packedBytes: number, unpackedBytes?: number): TidemarkError =>
  new TidemarkError('RECORD_UNDECODABLE',
    `${codec} record batch of ${packedBytes} bytes unpacks to ${unpackedBytes === undefined ? 'more than' : `${unpackedBytes} bytes, at most`} ${UNPACKED_BYTES_MAX}${unpackedBytes === undefined ? ' bytes' : ' are taken'}: ` +
    'no honest producer sends this; move the group’s offset past the batch (kafka-consumer-groups --reset-offsets)');

export const corrupt = (codec: string, packedBytes: number, error: unknown): TidemarkError =>
  new TidemarkError('RECORD_UNDECODABLE', `${codec} record batch of ${packedBytes} bytes cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
