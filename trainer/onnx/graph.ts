import { encodeModel, type Message } from './messages.js';

/** Attribute types of AttributeProto and the element type of float tensors in onnx.proto. */
const TYPE = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;
const FLOAT_TENSOR = 1;
/** Read by ONNX Runtime 1.13 and later, and by all that follow its operator sets. */
const IR_VERSION = 8;
const OPSETS = [{ domain: '', version: 17 }, { domain: 'ai.onnx.ml', version: 3 }];

export const ints = (name: string, values: readonly number[]): Message => ({ name, type: TYPE.ints, ints: values });
export const floats = (name: string, values: readonly number[]): Message => ({ name, type: TYPE.floats, floats: values });
export const strings = (name: string, values: readonly string[]): Message => ({ name, type: TYPE.strings, strings: values.map((value) => Buffer.from(value)) });
export const int = (name: string, value: number): Message => ({ name, type: TYPE.int, i: value });
export const string = (name: string, value: string): Message => ({ name, type: TYPE.string, s: Buffer.from(value) });

export interface Node {
  readonly operator: string;
  readonly domain?: 'ai.onnx.ml';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly Message[];
}

/** A float32 tensor that the graph carries. */
export interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** A piece of a graph: operators, and the constants that they read. */
export interface Part {
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
}

export const constant = (name: string, values: ArrayLike<number>, dims: readonly number[] = [values.length]): Constant => ({ name, dims, values: Float32Array.from(values) });
export const joined = (...parts: readonly Part[]): Part => ({ nodes: parts.flatMap(({ nodes }) => nodes), constants: parts.flatMap(({ constants }) => constants) });

/** Names of the one input `[N, features]` and the one output `[N, 1]` of every model that the trainer writes. */
export const INPUT_NAME = 'features';
export const OUTPUT_NAME = 'probability';

/** A model of float32 rows to one float32 a row. @param metadata what tools show beside it */
export function buildModel(name: string, columns: number, { nodes, constants }: Part, metadata: Readonly<Record<string, string>>): Buffer {
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'tidemark',
    opsetImport: OPSETS,
    graph: {
      name,
      node: nodes.map(({ operator, domain, inputs, outputs, attributes = [] }, index) => ({
        name: `${operator}_${index}`, opType: operator, input: inputs, output: outputs, attribute: attributes, ...(domain === undefined ? {} : { domain }),
      })),
      initializer: constants.map((one) => ({ name: one.name, dims: one.dims, dataType: FLOAT_TENSOR, rawData: littleEndian(one.values) })),
      input: [tensor(INPUT_NAME, columns)],
      output: [tensor(OUTPUT_NAME, 1)],
    },
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
}

const tensor = (name: string, columns: number): Message => ({
  name, type: { tensorType: { elemType: FLOAT_TENSOR, shape: { dim: [{ dimParam: 'N' }, { dimValue: columns }] } } },
});

function littleEndian(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes;
}
