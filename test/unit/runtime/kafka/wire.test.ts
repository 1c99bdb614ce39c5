import { createRequire } from 'node:module';
import t from 'tap';
import { kafkajs } from '../../../../runtime/kafka/kafkajs.js';
import { murmur2 } from '../../../../runtime/kafka/partitioner.js';
import { EncodedRecords } from '../../../../runtime/kafka/wire/record-writer.js';
import { writeBatchHeader, type BatchIdentity } from '../../../../runtime/kafka/wire/record-batch.js';
import { decodeRecordSets } from '../../../../runtime/kafka/wire/decode-fetch.js';
import { FetchedBatch } from '../../../../runtime/kafka/wire/fetched-batch.js';
import { random } from '../../../support/random.js';

const require = createRequire(import.meta.url);
const kafkajsMurmur2 = require('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number;
const kafkajsRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: unknown) => { buffer: Buffer };
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch(batch: unknown): Promise<{ buffer: Buffer }> };

const SEED = 20_260_115;
t.comment(`seed ${SEED}`);

type Message = { key: Buffer | null; value: Buffer | null; headers?: Record<string, Buffer> };

function randomMessages(count: number, seed: number): Message[] {
  const next = random(seed);
  const bytes = (max: number): Buffer => Buffer.from(Array.from({ length: Math.floor(next() * max) }, () => Math.floor(next() * 256)));
  return Array.from({ length: count }, () => ({
    key: next() < 0.1 ? null : bytes(40),
    value: next() < 0.1 ? null : bytes(next() < 0.02 ? 40_000 : 300),
    ...(next() < 0.2 ? { headers: { reason: bytes(20), 'ünïcode': bytes(5), empty: Buffer.alloc(0) } } : {}),
  }));
}

function encode(messages: readonly Message[]): EncodedRecords {
  const records = new EncodedRecords(3, 64);
  for (const { key, value, headers } of messages) records.append(key, value, headers);
  return records;
}

function batchBytes(encoded: EncodedRecords, timeMs: number, identity: BatchIdentity): Buffer {
  const batch = Buffer.from(encoded.batch());
  writeBatchHeader(batch, encoded.length, timeMs, timeMs, identity);
  return batch;
}

t.test('records are encoded byte for byte as kafkajs encodes them', async (t) => {
  for (let round = 0; round < 20; round++) {
    const messages = randomMessages(1 + round * 17, SEED + round);
    const expected = Buffer.concat(messages.map((message, i) => kafkajsRecord({ ...message, offsetDelta: i, timestampDelta: 0 }).buffer));
    t.ok(encode(messages).encoded().equals(expected), `round ${round}`);
  }
});

t.test('the hot form writes the same bytes', async (t) => {
  const value = Buffer.from('0123456789');
  const slow = new EncodedRecords(0);
  const hot = new EncodedRecords(0, 8);
  for (const key of ['a', 'C00042', 'schlüssel', '🛒-cust', 'x'.repeat(128), '\u07ff'.repeat(70)]) {
    slow.append(Buffer.from(key), value.subarray(2, 7), undefined);
    hot.appendText(key, value, 2, 7);
  }
  t.ok(hot.encoded().equals(slow.encoded()));
});

t.test('a whole batch, header and checksum, is kafkajs’s own', async (t) => {
  const messages = randomMessages(50, SEED);
  const records = messages.map((message, i) => kafkajsRecord({ ...message, offsetDelta: i, timestampDelta: 0 }));
  const identity = { producerId: 4_611_686_018_427_387_904n, producerEpoch: 7, firstSequence: 2_000_000_000, transactional: true };
  const expected = await RecordBatch({ records, firstTimestamp: 1e12, maxTimestamp: 1e12, lastOffsetDelta: 49, ...identity, producerId: identity.producerId.toString() });
  const encoded = encode(messages);
  t.ok(batchBytes(encoded, 1e12, { compression: 0, ...identity }).equals(expected.buffer));
});

const decoderOf = (bytes: Buffer): { readInt32(): number; readBytes(length: number): Buffer } => ({
  readInt32: () => bytes.length,
  readBytes: (length) => bytes.subarray(0, length),
});
const batchOf = (messages: readonly Message[], baseOffset: number, options: { producerId?: bigint; transactional?: boolean; control?: boolean } = {}): Buffer => {
  const encoded = encode(messages);
  const batch = batchBytes(encoded, 1e12,
    { compression: 0, transactional: options.transactional ?? false, producerId: options.producerId ?? -1n, producerEpoch: 0, firstSequence: 0 });
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  if (options.control === true) batch.writeInt16BE(batch.readInt16BE(21) | 0x20, 21);
  return batch;
};
const fetched = async (bytes: Buffer, from: number, abortedTransactions: { producerId: string; firstOffset: string }[] = []): Promise<FetchedBatch> =>
  new FetchedBatch('topic', String(from), { partition: 0, highWatermark: '100', messages: await decodeRecordSets(decoderOf(bytes), () => Promise.reject(new Error('not compressed'))), abortedTransactions });

t.test('what was encoded is read back, from the asked offset on', async (t) => {
  const messages = randomMessages(200, SEED + 1);
  const batch = await fetched(Buffer.concat([batchOf(messages.slice(0, 120), 1000), batchOf(messages.slice(120), 1120)]), 1005);
  t.equal(batch.records.length, 195);
  t.equal(batch.nextOffset, 1200);
  for (const record of batch.records) {
    const { key, value, headers } = messages[record.offset - 1000]!;
    t.same([record.key, record.value, { ...record.headers }], [key, value, headers ?? {}]);
    t.equal(record.timestamp, 1e12);
  }
  t.equal(batch.messages[0]!.offset, '1005', 'kafkajs sees offsets as text');
});

t.test('a batch that the response cuts off is left for the next fetch', async (t) => {
  const whole = Buffer.concat([batchOf(randomMessages(5, 1), 0), batchOf(randomMessages(5, 2), 5)]);
  for (const cut of [1, 30, 70]) {
    const batch = await fetched(whole.subarray(0, whole.length - cut), 0);
    t.equal(batch.nextOffset, 5, `${cut} bytes short`);
  }
});

const marker = (type: number): Message => ({ key: Buffer.from([0, 0, 0, type]), value: Buffer.alloc(6) });

t.test('control records and compacted tails move the position though nobody sees them', async (t) => {
  const one = [{ key: Buffer.from('a'), value: Buffer.from('1') }];
  const bytes = Buffer.concat([batchOf(one, 0, { producerId: 9n, transactional: true }), batchOf([marker(1)], 1, { producerId: 9n, transactional: true, control: true })]);
  const batch = await fetched(bytes, 0);
  t.same([batch.records.length, batch.nextOffset, batch.lastOffset()], [1, 2, '1']);
  const onlyMarker = await fetched(bytes.subarray(batchOf(one, 0).length), 1);
  t.same([onlyMarker.isEmptyDueToFiltering(), onlyMarker.nextOffset], [true, 2]);
});

t.test('records of aborted transactions are left out, those of others between them are not', async (t) => {
  const message = (text: string): Message => ({ key: null, value: Buffer.from(text) });
  const bytes = Buffer.concat([
    batchOf([message('taken back')], 0, { producerId: 1n, transactional: true }),
    batchOf([message('other producer')], 1, { producerId: 2n, transactional: true }),
    batchOf([message('no transaction')], 2),
    batchOf([marker(0)], 3, { producerId: 1n, transactional: true, control: true }),
    batchOf([message('next transaction')], 4, { producerId: 1n, transactional: true }),
  ]);
  const batch = await fetched(bytes, 0, [{ producerId: '1', firstOffset: '0' }]);
  t.same(batch.records.map(({ value }) => value!.toString()), ['other producer', 'no transaction', 'next transaction']);
});

t.test('partitions are those of Kafka’s own partitioner', async (t) => {
  for (const [text, hash] of [['21', -973932308], ['foobar', -790332482], ['a-little-bit-long-string', -985981536], ['abc', 479470107]] as const)
    t.equal(murmur2(text), hash, `${text}: a value of Kafka's UtilsTest`);
  const next = random(SEED);
  for (let i = 0; i < 500; i++) {
    const key = Buffer.from(Array.from({ length: Math.floor(next() * 30) }, () => Math.floor(next() * 256)));
    if (murmur2(key) !== kafkajsMurmur2(key)) t.fail(`differs for ${key.toString('hex')}`);
  }
  t.equal(murmur2('schlüssel-🛒'), murmur2(Buffer.from('schlüssel-🛒')));
});

t.ok(kafkajs.Kafka, 'kafkajs is the patched one');
