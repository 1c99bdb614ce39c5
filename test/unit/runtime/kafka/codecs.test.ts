import t from 'tap';
import { gzipSync } from 'node:zlib';
import { compressSync } from 'snappy';
import { compressFrameSync } from 'lz4-napi';
import { UNPACKED_BYTES_MAX, type BatchCodec } from '../../../../runtime/kafka/codecs/codec.js';
import { gzipCodec } from '../../../../runtime/kafka/codecs/gzip.js';
import { lz4Codec } from '../../../../runtime/kafka/codecs/lz4.js';
import { snappyCodec } from '../../../../runtime/kafka/codecs/snappy.js';
import { zstdCodec } from '../../../../runtime/kafka/codecs/zstd.js';
import { kafkajs } from '../../../../runtime/kafka/kafkajs.js';

const codecs: Record<string, BatchCodec> = { gzip: gzipCodec, snappy: snappyCodec, lz4: lz4Codec, zstd: zstdCodec };
/** Repeats and noise, so that blocks of every kind appear. */
function sample(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = 12_345;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    out[i] = i % 4096 < 2048 ? 97 + (i % 13) : state >>> 24;
  }
  return out;
}

for (const [name, codec] of Object.entries(codecs))
  t.test(`${name}: what is packed comes back`, async (t) => {
    for (const bytes of [0, 1, 100, 32 * 1024, 32 * 1024 + 1, 300_000, 5_000_000]) {
      const body = sample(bytes);
      t.ok((await codec.decompress(await codec.compress({ buffer: body }))).equals(body), `${bytes} bytes`);
    }
    const zeros = Buffer.alloc(20_000_000);
    t.ok((await codec.decompress(await codec.compress({ buffer: zeros }))).equals(zeros), '20 MB that pack a thousandfold');
  });

for (const [name, codec] of Object.entries(codecs))
  t.test(`${name}: cut off or garbled is refused`, async (t) => {
    const packed = await codec.compress({ buffer: sample(50_000) });
    for (const [what, bytes] of Object.entries({
      half: packed.subarray(0, packed.length / 2), 'first bytes': packed.subarray(0, 3), none: Buffer.alloc(0), noise: sample(64),
    })) await t.rejects(codec.decompress(bytes), { code: 'RECORD_UNDECODABLE' }, what);
  });

t.test('snappy is read raw, in snappy-java’s framing and from joined streams', async (t) => {
  const body = sample(100_000);
  t.ok((await snappyCodec.decompress(compressSync(body))).equals(body), 'raw');
  const framed = await snappyCodec.compress({ buffer: body });
  t.equal(framed.toString('hex', 0, 16), '82534e415050590000000001' + '00000001');
  t.ok((await snappyCodec.decompress(Buffer.concat([framed, framed]))).equals(Buffer.concat([body, body])), 'joined');
});

/** A zstd frame without a content size, of run-length blocks: 4 bytes stand for 128 KiB. */
function zstdRuns(blocks: number): Buffer {
  const frame = [Buffer.from('28b52ffd' + '00' + '58', 'hex')];
  for (let i = 0; i < blocks; i++) {
    const block = Buffer.alloc(4);
    block.writeUIntLE((131_072 << 3) | (1 << 1) | (i === blocks - 1 ? 1 : 0), 0, 3);
    frame.push(block);
  }
  return Buffer.concat(frame);
}

t.test('zstd frames that do not say their size are read, in as much room as they need', async (t) => {
  t.equal((await zstdCodec.decompress(zstdRuns(1))).length, 131_072);
  t.equal((await zstdCodec.decompress(zstdRuns(200))).length, 200 * 131_072);
});

t.test('bombs are refused, by what they claim or when they reach the bound', async (t) => {
  const claims = Buffer.concat([Buffer.from('28b52ffd' + 'e0', 'hex'), Buffer.alloc(8), Buffer.alloc(16)]);
  claims.writeBigUInt64LE(BigInt(UNPACKED_BYTES_MAX) + 1n, 5);
  const lz4Blocks = [compressFrameSync(Buffer.alloc(10)).subarray(0, 7)];
  lz4Blocks[0]![5] = 0x70;
  for (let i = 0; i < 40; i++) {
    const block = Buffer.alloc(4 + 20_000, 1);
    block.writeUInt32LE(20_000);
    lz4Blocks.push(block);
  }
  const bombs: [string, BatchCodec, Buffer][] = [
    ['gzip', gzipCodec, gzipSync(Buffer.alloc(UNPACKED_BYTES_MAX + 1), { level: 1 })],
    ['snappy', snappyCodec, Buffer.from([0x81, 0x80, 0x80, 0x40, 0, 0])],
    ['lz4', lz4Codec, Buffer.concat(lz4Blocks)],
    ['zstd that says so', zstdCodec, claims],
    ['zstd that does not', zstdCodec, zstdRuns(UNPACKED_BYTES_MAX / 131_072 + 1)],
  ];
  for (const [name, codec, bytes] of bombs)
    await t.rejects(codec.decompress(bytes), { code: 'RECORD_UNDECODABLE', message: /unpacks to/ }, name);
});

t.test('kafkajs finds all four', async (t) => {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  const body = sample(1000);
  for (const type of [CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD]) {
    const codec = (CompressionCodecs as unknown as Record<number, () => BatchCodec>)[type]!();
    t.ok((await codec.decompress(await codec.compress({ buffer: body }))).equals(body));
  }
});
