import { createHash } from 'node:crypto';
import protobuf from 'protobufjs';
import { MANIFEST_DEFAULTS, type ModelManifest } from '../../schemas/events/model.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';

/**
 * Small ONNX models, written field by field (numbers are those of onnx.proto): P = sigmoid(x·w + b), missing values taken
 * as 0. Options bend them into what a scorer must refuse.
 */
export interface LogisticOptions {
  readonly weights: readonly number[];
  readonly bias?: number;
  /** Leave NaN as it is: such a model answers it with NaN. */
  readonly nanPasses?: boolean;
  /** Columns of the output: P alone, or both classes. */
  readonly columns?: 1 | 2;
  /** Names of outputs that hold the result; two make it ambiguous. */
  readonly outputs?: readonly string[];
  /** Rows that the input takes; undefined: any. */
  readonly rows?: number;
  /** ONNX Runtime fails on rows whose first value is as large: the graph then looks beyond the end of a table. */
  readonly failsFrom?: number;
  /** Leave the sigmoid out: scores are no probabilities. */
  readonly linear?: boolean;
}

const FLOAT = 1;
type Build = (writer: protobuf.Writer) => void;

const message = (build: Build): Uint8Array => { const writer = protobuf.Writer.create(); build(writer); return writer.finish(); };
const bytes = (writer: protobuf.Writer, field: number, value: Uint8Array): protobuf.Writer => writer.uint32((field << 3) | 2).bytes(value);
const text = (writer: protobuf.Writer, field: number, value: string): protobuf.Writer => writer.uint32((field << 3) | 2).string(value);
const integer = (writer: protobuf.Writer, field: number, value: number): protobuf.Writer => writer.uint32(field << 3).int64(value);

const node = (op: string, inputs: readonly string[], output: string, attributes: Uint8Array[] = []): Uint8Array => message((w) => {
  for (const input of inputs) text(w, 1, input);
  text(w, 2, output);
  text(w, 4, op);
  for (const attribute of attributes) bytes(w, 5, attribute);
});
const axis = (value: number): Uint8Array => message((w) => { text(w, 1, 'axis'); integer(w, 3, value); integer(w, 20, 2); });
const tensor = (name: string, dims: readonly number[], values: readonly number[]): Uint8Array => message((w) => {
  for (const dim of dims) integer(w, 1, dim);
  integer(w, 2, FLOAT);
  bytes(w, 9, new Uint8Array(Float32Array.from(values).buffer));
  text(w, 8, name);
});
const value = (name: string, dims: readonly (number | string)[]): Uint8Array => message((w) => {
  text(w, 1, name);
  bytes(w, 2, message((type) => bytes(type, 1, message((tensorType) => {
    integer(tensorType, 1, FLOAT);
    bytes(tensorType, 2, message((shape) => {
      for (const dim of dims) bytes(shape, 1, message((d) => (typeof dim === 'number' ? integer(d, 1, dim) : text(d, 2, dim))));
    }));
  }))));
});

export function logisticOnnx({ weights, bias = 0, nanPasses = false, columns = 2, outputs = ['probabilities'], rows, linear = false, failsFrom }: LogisticOptions): Buffer {
  const n = weights.length;
  const graph = message((g) => {
    const clean = nanPasses ? 'x' : 'clean';
    if (!nanPasses) {
      bytes(g, 1, node('IsNaN', ['x'], 'missing'));
      bytes(g, 1, node('Where', ['missing', 'zero', 'x'], 'clean'));
    }
    bytes(g, 1, node('MatMul', [clean, 'w'], 'weighed'));
    bytes(g, 1, node('Add', ['weighed', 'b'], failsFrom === undefined ? 'z' : 'z0'));
    if (failsFrom !== undefined) {
      bytes(g, 1, node('MatMul', [clean, 'first'], 'first_value'));
      bytes(g, 1, node('Cast', ['first_value'], 'place', [message((w) => { text(w, 1, 'to'); integer(w, 3, 7); integer(w, 20, 2); })]));
      bytes(g, 1, node('Gather', ['table', 'place'], 'nothing'));
      bytes(g, 1, node('Add', ['z0', 'nothing'], 'z'));
      bytes(g, 5, tensor('first', [n, 1], weights.map((_, i) => (i === 0 ? 1 : 0))));
      bytes(g, 5, tensor('table', [failsFrom], Array<number>(failsFrom).fill(0)));
    }
    bytes(g, 1, node(linear ? 'Identity' : 'Sigmoid', ['z'], 'p'));
    if (columns === 2) bytes(g, 1, node('Sub', ['one', 'p'], 'q'));
    for (const output of outputs) bytes(g, 1, columns === 2 ? node('Concat', ['q', 'p'], output, [axis(1)]) : node('Identity', ['p'], output));
    text(g, 2, 'logistic');
    bytes(g, 5, tensor('w', [n, 1], weights));
    bytes(g, 5, tensor('b', [1], [bias]));
    bytes(g, 5, tensor('one', [1], [1]));
    if (!nanPasses) bytes(g, 5, tensor('zero', [1], [0]));
    bytes(g, 11, value('x', [rows ?? 'N', n]));
    for (const output of outputs) bytes(g, 12, value(output, [rows ?? 'N', columns]));
  });
  return Buffer.from(message((m) => {
    integer(m, 1, 8);
    bytes(m, 7, graph);
    bytes(m, 8, message((opset) => { text(opset, 1, ''); integer(opset, 2, 13); }));
  }));
}

/** What such a model computes, in doubles. */
export function logisticScore({ weights, bias = 0 }: LogisticOptions, row: readonly number[]): number {
  return 1 / (1 + Math.exp(-weights.reduce((sum, weight, i) => sum + weight * (Number.isNaN(row[i]) ? 0 : (row[i] ?? 0)), bias)));
}

export interface LogisticModel {
  readonly manifest: ModelManifest;
  readonly onnx: Buffer;
  readonly options: LogisticOptions;
  score(row: readonly number[]): number;
}

/** A whole model version for a view, its test vectors included; weights differ by seed. */
export function logisticModel(view: FeatureView, version: string, seed: number, changes: Partial<ModelManifest> = {}, more: Partial<LogisticOptions> = {}): LogisticModel {
  const names = featureNames(view);
  const options: LogisticOptions = { weights: names.map((_, i) => Math.fround(Math.sin(seed * 31 + i) / 20)), bias: Math.fround(Math.cos(seed)), ...more };
  const onnx = logisticOnnx(options);
  const rows = [0, 1, 2, 3].map((r) => names.map((_, i) => ((r + i) % 5 === 0 ? Number.NaN : (r * 7 + i * 3) % 11)));
  const score = (row: readonly number[]): number => logisticScore(options, row);
  const manifest: ModelManifest = {
    model: 'churn', version, stage: 'champion', family: 'logistic_regression', view: view.name, view_version: view.version, features: names,
    created_at: 1_700_000_000_000 + seed, onnx_bytes: onnx.length, onnx_sha256: createHash('sha256').update(onnx).digest('hex'), chunk_count: 1,
    metrics: { auc: 0.5 }, parameters: {}, data_hash: 'none', data_from: 0, data_to: 0, data_rows: 4,
    test_inputs: rows.map((row) => row.map((v) => (Number.isNaN(v) ? null : v))), test_outputs: rows.map(score), ...MANIFEST_DEFAULTS,
    ...changes,
  };
  return { manifest, onnx, options, score };
}
