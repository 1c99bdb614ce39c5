import t from 'tap';
import { InferError, readInferRequest } from '../../../../../scorer/inference/core/request.js';
import { writeInferAnswer } from '../../../../../scorer/inference/core/response.js';

const NONE = new Uint8Array();
const input = (more: object): object => ({ inputs: [{ name: 'input', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3], ...more }] });

t.test('values flat, in rows, missing, of one row without its dimension', async (t) => {
  const values = (body: object): number[] => [...readInferRequest(body, NONE, 3).matrix];
  t.same(values(input({})), [1, 2, 3]);
  t.same(values(input({ shape: [3], datatype: 'INT64' })), [1, 2, 3]);
  t.same(values(input({ shape: [2, 3], data: [[1, null, 3], [true, false, 0.5]] })), [1, Number.NaN, 3, 1, 0, 0.5]);
});

t.test('bytes of each type', async (t) => {
  const cases: readonly (readonly [string, ArrayBufferView])[] = [
    ['FP32', Float32Array.of(1.5, -2, 3)], ['FP64', Float64Array.of(1.5, -2, 3)], ['INT8', Int8Array.of(1, -2, 3)], ['INT16', Int16Array.of(1, -2, 3)], ['INT32', Int32Array.of(1, -2, 3)],
    ['INT64', BigInt64Array.of(1n, -2n, 3n)], ['UINT8', Uint8Array.of(1, 200, 3)], ['UINT16', Uint16Array.of(1, 60_000, 3)], ['UINT32', Uint32Array.of(1, 4e9, 3)], ['UINT64', BigUint64Array.of(1n, 2n ** 60n, 3n)],
    ['BOOL', Uint8Array.of(1, 0, 5)], ['FP16', Uint16Array.of(0x3e00, 0xc000, 0x0001)], ['BF16', Uint16Array.of(0x3fc0, 0xc000, 0x4040)],
  ];
  for (const [datatype, typed] of cases) {
    // Shifted by one, as the tensor follows JSON of any length.
    const bytes = new Uint8Array(typed.byteLength + 1);
    bytes.set(new Uint8Array(typed.buffer), 1);
    const got = [...readInferRequest(input({ datatype, data: undefined, parameters: { binary_data_size: typed.byteLength } }), bytes.subarray(1), 3).matrix];
    const expected = datatype === 'BOOL' ? [1, 0, 1] : datatype === 'FP16' ? [1.5, -2, 2 ** -24] : datatype === 'BF16' ? [1.5, -2, 3] : [...(typed as unknown as Iterable<number | bigint>)].map((value) => Math.fround(Number(value)));
    t.same(got, expected, datatype);
  }
});

t.test('what is no request is said in the protocol’s own words', async (t) => {
  const bad: readonly (readonly [unknown, RegExp, Uint8Array?])[] = [
    [[], /no JSON object/], [{}, /inputs: expected one tensor/], [{ inputs: [{}, {}] }, /expected one tensor/], [input({ name: 'x' }), /"x" is no input of this model/], [input({ shape: [1, 4] }), /shape \[1,4\]/],
    [input({ shape: [0, 3] }), /1 to 100000 rows/], [input({ shape: [1.5, 3] }), /shape/], [input({ shape: 'x' }), /shape "x"/], [input({ datatype: 'BYTES' }), /datatype "BYTES"/], [input({ datatype: '__proto__' }), /datatype/],
    [input({ data: [1, 2] }), /has 2 values, its shape asks for 3/], [input({ data: [1, 2, 3, 4] }), /has 4 values/], [input({ data: ['1', 2, 3] }), /value 0 of input is "1"/], [input({ data: [1, 2, 1e39] }), /beyond float32/],
    [input({ data: [[[[1]]]] }), /nested too deeply/], [input({ data: undefined }), /neither data nor binary_data_size/], [input({}), /4 bytes follow the JSON, and no input/, new Uint8Array(4)],
    [input({ parameters: { binary_data_size: 8 } }), /ask for 12/, new Uint8Array(12)], [input({ parameters: { binary_data_size: 12 } }), /8 bytes follow/, new Uint8Array(8)],
    [{ ...input({}), outputs: [{ name: 'x' }] }, /"x" is no output/], [{ ...input({}), outputs: 5 }, /list of outputs/], [{ ...input({}), outputs: [{ name: 'score', parameters: { classification: 2 } }] }, /classification/], [{ ...input({}), id: 5 }, /id: expected text/],
  ];
  for (const [body, message, binary] of bad) {
    let said: unknown;
    try {
      readInferRequest(body, binary ?? NONE, 3);
    } catch (error) {
      said = error;
    }
    t.ok(said instanceof InferError && message.test(said.message), `${JSON.stringify(body)}: ${String(said)}`);
  }
});

t.test('outputs in the order asked for, in JSON or after it', async (t) => {
  const answered = { model: 'churn', version: 'v1', scores: Float64Array.of(0.25, 0.75), atRisk: Uint8Array.of(0, 1) };
  const all = readInferRequest(input({}), NONE, 3).outputs;
  t.same(JSON.parse(writeInferAnswer('a', all, answered).json), {
    model_name: 'churn', model_version: 'v1', id: 'a', outputs: [{ name: 'score', datatype: 'FP32', shape: [2], data: [0.25, 0.75] }, { name: 'decision', datatype: 'BYTES', shape: [2], data: ['keep', 'at_risk'] }],
  });
  const { outputs } = readInferRequest({ ...input({}), parameters: { binary_data_output: true }, outputs: [{ name: 'decision' }, { name: 'score' }] }, NONE, 3);
  const { json, binary } = writeInferAnswer(undefined, outputs, answered);
  t.same(JSON.parse(json).outputs.map(({ parameters }: { parameters: unknown }) => parameters), [{ binary_data_size: 19 }, { binary_data_size: 8 }]);
  t.equal(Buffer.from(binary!).toString('latin1', 0, 19), '\x04\0\0\0keep\x07\0\0\0at_risk');
  t.equal(Buffer.from(binary!).readFloatLE(23), 0.75);
});
