import t from 'tap';
import { MANIFEST_DEFAULTS, type ModelManifest } from '../../../../schemas/events/model.js';
import { TidemarkError } from '../../../../runtime/errors.js';
import type { KafkaRecord } from '../../../../runtime/kafka/records.js';
import { chunkKey, createModelAssembler, manifestKey, sha256Of, type ManifestCodec, type ModelVersion } from '../../../../runtime/models/assemble.js';

const json: ManifestCodec = {
  encode: (manifest) => Buffer.from(JSON.stringify(manifest)),
  decode: (value) => JSON.parse(value.toString()) as ModelManifest,
};

function manifestOf(version: string, onnx: Buffer, chunks: number): ModelManifest {
  return {
    model: 'churn', version, stage: 'champion', family: 'xgboost', view: 'customer_activity', view_version: 1, features: ['a'],
    created_at: 1, onnx_bytes: onnx.length, onnx_sha256: sha256Of(onnx), chunk_count: chunks, metrics: {}, parameters: {},
    data_hash: 'x', data_from: 0, data_to: 1, data_rows: 1, test_inputs: [[1]], test_outputs: [0.5], ...MANIFEST_DEFAULTS,
  };
}

function topic() {
  let offset = 0;
  const told: TidemarkError[] = [];
  const assemble = createModelAssembler(json, (error) => told.push(error));
  const take = (key: string | null, value: Buffer | null): Promise<ModelVersion | undefined> => {
    const record: KafkaRecord = { offset: offset++, timestamp: 0, key: key === null ? null : Buffer.from(key), value, headers: {} };
    return assemble(record);
  };
  return { take, told };
}

t.test('chunks and a manifest make a version, whatever stands between them', async (t) => {
  const { take, told } = topic();
  const onnx = Buffer.from('abcdefgh');
  const other = Buffer.from('other');
  const m = manifestOf('v1', onnx, 3);
  const o = manifestOf('v2', other, 1);
  await take(chunkKey(m, 0), onnx.subarray(0, 3));
  await take(chunkKey(o, 0), other);
  await take(chunkKey(m, 2), onnx.subarray(6));
  await take(chunkKey(m, 1), onnx.subarray(3, 6));
  t.equal((await take(manifestKey(o), json.encode(o) as Buffer))?.onnx.toString(), 'other');
  const whole = await take(manifestKey(m), json.encode(m) as Buffer);
  t.equal(whole?.onnx.toString(), 'abcdefgh');
  t.equal(whole?.offset, 5);
  t.same(told, []);
});

t.test('a version published again with another stage comes again', async (t) => {
  const { take } = topic();
  const onnx = Buffer.from('ab');
  for (const stage of ['candidate', 'champion'] as const) {
    const m = { ...manifestOf('v1', onnx, 1), stage };
    await take(chunkKey(m, 0), onnx);
    t.equal((await take(manifestKey(m), json.encode(m) as Buffer))?.manifest.stage, stage);
  }
});

t.test('what cannot be used is told and does not stop the reader', async (t) => {
  const onnx = Buffer.from('abcd');
  const m = manifestOf('v1', onnx, 2);
  const value = json.encode(m) as Buffer;
  const [first, second] = [onnx.subarray(0, 2), onnx.subarray(2)];
  const cases: [string, [string | null, Buffer | null][], RegExp][] = [
    ['a chunk is missing', [[chunkKey(m, 0), first], [manifestKey(m), value]], /chunk 1 of 2 is missing/],
    ['a chunk was taken back', [[chunkKey(m, 0), first], [chunkKey(m, 1), second], [chunkKey(m, 0), null], [manifestKey(m), value]], /chunk 0 of 2 is missing/],
    ['bytes were changed', [[chunkKey(m, 0), first], [chunkKey(m, 1), Buffer.from('xx')], [manifestKey(m), value]], /sha256/],
    ['bytes are short', [[chunkKey(m, 0), first], [chunkKey(m, 1), Buffer.from('x')], [manifestKey(m), value]], /3 bytes in 2 chunks, the manifest says 4/],
    ['another name', [[chunkKey(m, 0), first], [chunkKey(m, 1), second], ['churn/v2', value]], /manifest of churn\/v1 under the key churn\/v2/],
    ['no manifest', [['churn/v9', Buffer.from('{')]], /cannot be decoded/],
    ['a foreign key', [['hello', Buffer.from('x')]], /key "hello"/],
    ['no key', [[null, Buffer.from('x')]], /key ""/],
  ];
  for (const [name, records, expected] of cases) {
    const { take, told } = topic();
    for (const [key, bytes] of records) t.equal(await take(key, bytes), undefined, name);
    t.equal(told.length, 1, name);
    t.match(told[0], { code: 'MODEL_INVALID', message: expected }, name);
    await take(chunkKey(m, 0), first);
    await take(chunkKey(m, 1), second);
    t.ok(await take(manifestKey(m), value), `${name}: the next good version is read`);
  }
});

t.test('chunks without a manifest are held for a bounded number of versions', async (t) => {
  const { take, told } = topic();
  const onnx = Buffer.from('ab');
  const manifests = Array.from({ length: 6 }, (_, i) => manifestOf(`v${i}`, onnx, 1));
  for (const m of manifests) await take(chunkKey(m, 0), onnx);
  t.equal(await take(manifestKey(manifests[0]!), json.encode(manifests[0]!) as Buffer), undefined, 'the oldest were let go');
  t.ok(await take(manifestKey(manifests[5]!), json.encode(manifests[5]!) as Buffer));
  t.equal(told.length, 1);
});

t.test('a registry that is away leaves the record to be given again', async (t) => {
  let away = true;
  const onnx = Buffer.from('ab');
  const m = manifestOf('v1', onnx, 1);
  const told: TidemarkError[] = [];
  const codec: ManifestCodec = {
    ...json,
    decode: (value) => {
      if (away) throw new TidemarkError('REGISTRY_UNREACHABLE', 'away');
      return json.decode(value);
    },
  };
  const assemble = createModelAssembler(codec, (error) => told.push(error));
  const record = (key: string, value: Buffer): KafkaRecord => ({ offset: 0, timestamp: 0, key: Buffer.from(key), value, headers: {} });
  await assemble(record(chunkKey(m, 0), onnx));
  await t.rejects(assemble(record(manifestKey(m), json.encode(m) as Buffer)), { code: 'REGISTRY_UNREACHABLE' });
  away = false;
  t.ok(await assemble(record(manifestKey(m), json.encode(m) as Buffer)));
  t.same(told, []);
});
