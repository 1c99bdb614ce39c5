import { contentOf, endOfVarint, firstText, LENGTH_DELIMITED, readFields, scanFields, textOf, varintAt, type Field } from './protobuf.js';

/** Field numbers of onnx.proto, which never change: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
const TENSOR = { dims: 1, type: 2, floats: 4, int64s: 7, name: 8, raw: 9 } as const;
const ATTRIBUTE = { name: 1, int: 3, text: 4, floats: 7, ints: 8, texts: 9 } as const;
const FLOAT32 = 1;
const INT64 = 7;

export interface GraphNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Of an attribute, which is read when it is asked for; empty where there is none. */
  floats(name: string): Float32Array;
  ints(name: string): number[];
  texts(name: string): string[];
}

/** What is read of a model's file. */
export interface OnnxGraph {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly GraphNode[];
  /** Values of a float32 or int64 constant; undefined where there is none of that name. */
  constant(name: string): Float64Array | undefined;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The fields of a model's graph. @throws RangeError where the bytes are no ONNX model */
export function graphFieldsOf(onnx: Uint8Array): Field[] {
  const graph = readFields(onnx).find(({ id, wire }) => id === MODEL.graph && wire === LENGTH_DELIMITED);
  if (graph === undefined) throw new RangeError('it has no graph');
  return readFields(graph.content);
}

/** @throws RangeError where the bytes are no ONNX model */
export function readGraph(onnx: Uint8Array): OnnxGraph {
  const graph = graphFieldsOf(onnx);
  const partsOf = (id: number): Uint8Array[] => graph.filter((field) => field.id === id).map(({ content }) => content);
  const constants = new Map(partsOf(GRAPH.initializer).map((content) => [firstText(content, TENSOR.name), content] as const));
  const named = (id: number): string[] => partsOf(id).map((content) => firstText(content, 1));
  return {
    inputs: named(GRAPH.input).filter((name) => !constants.has(name)),
    outputs: named(GRAPH.output),
    nodes: partsOf(GRAPH.node).map(nodeOf),
    constant(name) {
      const content = constants.get(name);
      return content === undefined ? undefined : tensorValues(content);
    },
    metadata: new Map(readFields(onnx).filter(({ id }) => id === MODEL.metadata).map(({ content }) => [firstText(content, 1), firstText(content, 2)] as const)),
  };
}

function nodeOf(content: Uint8Array): GraphNode {
  const attributes = new Map(readFields(content).filter(({ id }) => id === NODE.attribute).map(({ content: bytes }) => [firstText(bytes, ATTRIBUTE.name), bytes] as const));
  const none = new Uint8Array(0);
  const attribute = (name: string): Uint8Array => attributes.get(name) ?? none;
  return {
    operator: firstText(content, NODE.operator), inputs: texts(content, NODE.input), outputs: texts(content, NODE.output),
    floats: (name) => floats(attribute(name), ATTRIBUTE.floats),
    ints: (name) => integers(attribute(name), ATTRIBUTE.int, ATTRIBUTE.ints),
    texts: (name) => texts(attribute(name), ATTRIBUTE.text, ATTRIBUTE.texts),
  };
}

function tensorValues(content: Uint8Array): Float64Array | undefined {
  const [type] = integers(content, TENSOR.type);
  const raw = contentOf(content, TENSOR.raw);
  if (type === FLOAT32) return Float64Array.from(raw === undefined ? floats(content, TENSOR.floats) : floatsIn(raw));
  if (type !== INT64) return undefined;
  return raw === undefined ? Float64Array.from(integers(content, TENSOR.int64s)) : int64sIn(raw);
}

/** @param or another field that may hold them */
function texts(message: Uint8Array, wanted: number, or = wanted): string[] {
  const out: string[] = [];
  scanFields(message, (id, _wire, from, to) => {
    if (id === wanted || id === or) out.push(textOf(message.subarray(from, to)));
  });
  return out;
}

/** Numbers of a repeated field, one by one or packed into one. @param or another field that may hold them */
function integers(message: Uint8Array, wanted: number, or = wanted): number[] {
  const out: number[] = [];
  scanFields(message, (id, _wire, from, to) => {
    if (id === wanted || id === or) for (let at = from; at < to; at = endOfVarint(message, at)) out.push(varintAt(message, at));
  });
  return out;
}

const FIXED32 = 5;
function floats(message: Uint8Array, wanted: number): Float32Array {
  const view = viewOf(message);
  const out: number[] = [];
  scanFields(message, (id, wire, from, to) => {
    if (id !== wanted) return;
    if (wire !== FIXED32 && wire !== LENGTH_DELIMITED) throw new RangeError(`wire type ${wire} in a list of floats`);
    for (let at = from; at + 4 <= to; at += 4) out.push(view.getFloat32(at, true));
  });
  return Float32Array.from(out);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function floatsIn(bytes: Uint8Array): Float32Array {
  const view = viewOf(bytes);
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getFloat32(i * 4, true));
}

function int64sIn(bytes: Uint8Array): Float64Array {
  const view = viewOf(bytes);
  return Float64Array.from({ length: Math.floor(bytes.length / 8) }, (_, i) => view.getUint32(i * 8, true) + view.getInt32(i * 8 + 4, true) * 2 ** 32);
}
