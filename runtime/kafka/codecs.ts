import type * as KafkaJs from 'kafkajs';
import { gzipCodec } from './codecs/gzip.js';
import { lz4Codec } from './codecs/lz4.js';
import { snappyCodec } from './codecs/snappy.js';
import { zstdCodec } from './codecs/zstd.js';

/** Puts all four codecs of Kafka into kafkajs's table, each bounded in what it unpacks. */
export function installCodecs({ CompressionCodecs, CompressionTypes }: Pick<typeof KafkaJs, 'CompressionCodecs' | 'CompressionTypes'>): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => gzipCodec;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
}
