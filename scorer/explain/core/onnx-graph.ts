import { LENGTH_DELIMITED, readFields, textOf, type Field } from '../../../schemas/onnx/protobuf.js';

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

/** What explanations need of a model's file. */
export interface OnnxGraph {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly GraphNode[];
  /** Values of a float32 or int64 constant; undefined where there is none of that name. */
  constant(name: string): Float64Array | undefined;
  readonly metadata: ReadonlyMap<string, string>;
}

/** @throws RangeError where the bytes are no ONNX model */
export function readGraph(onnx: Uint8Array): OnnxGraph {
  const model = readFields(onnx);
  const graphField = model.find(({ id, wire }) => id === MODEL.graph && wire === LENGTH_DELIMITED);
  if (graphField === undefined) throw new RangeError('it has no graph');
  const graph = readFields(graphField.content);
  const named = (id: number): string[] => graph.filter((field) => field.id === id).map(({ content }) => firstText(readFields(content), 1));
  const constants = new Map(graph.filter(({ id }) => id === GRAPH.initializer).map(({ content }) => {
    const fields = readFields(content);
    return [firstText(fields, TENSOR.name), fields] as const;
  }));
  return {
    inputs: named(GRAPH.input).filter((name) => !constants.has(name)),
    outputs: named(GRAPH.output),
    nodes: graph.filter(({ id }) => id === GRAPH.node).map(({ content }) => nodeOf(content)),
    constant(name) {
      const fields = constants.get(name);
      return fields === undefined ? undefined : tensorValues(fields);
    },
    metadata: new Map(model.filter(({ id }) => id === MODEL.metadata).map(({ content }) => {
      const fields = readFields(content);
      return [firstText(fields, 1), firstText(fields, 2)] as const;
    })),
  };
}

function nodeOf(content: Uint8Array): GraphNode {
  const fields = readFields(content);
  const attributes = new Map(fields.filter(({ id }) => id === NODE.attribute).map(({ content: bytes }) => [firstText(readFields(bytes), ATTRIBUTE.name), bytes] as const));
  const attribute = (name: string): Field[] => {
    const bytes = attributes.get(name);
    return bytes === undefined ? [] : readFields(bytes);
  };
  return {
    operator: firstText(fields, NODE.operator), inputs: texts(fields, NODE.input), outputs: texts(fields, NODE.output),
    floats: (name) => floats(attribute(name), ATTRIBUTE.floats),
    ints(name) {
      const found = attribute(name);
      return [...integers(found, ATTRIBUTE.int), ...integers(found, ATTRIBUTE.ints)];
    },
    texts(name) {
      const found = attribute(name);
      return [...texts(found, ATTRIBUTE.text), ...texts(found, ATTRIBUTE.texts)];
    },
  };
}

function tensorValues(fields: readonly Field[]): Float64Array | undefined {
  const [type] = integers(fields, TENSOR.type);
  const raw = fields.find(({ id }) => id === TENSOR.raw)?.content;
  if (type === FLOAT32) return Float64Array.from(raw === undefined ? floats(fields, TENSOR.floats) : floatsIn(raw));
  if (type !== INT64) return undefined;
  return raw === undefined ? Float64Array.from(integers(fields, TENSOR.int64s)) : int64sIn(raw);
}

const texts = (fields: readonly Field[], id: number): string[] => fields.filter((field) => field.id === id).map(({ content }) => textOf(content));
const firstText = (fields: readonly Field[], id: number): string => texts(fields.filter((field) => field.id === id).slice(0, 1), id)[0] ?? '';

/** Numbers of a repeated field, one by one or packed into one. */
function integers(fields: readonly Field[], id: number): number[] {
  const out: number[] = [];
  for (const field of fields) {
    if (field.id !== id) continue;
    if (field.wire !== LENGTH_DELIMITED) out.push(field.value);
    else for (let at = 0; at < field.content.length;) at = readVarint(field.content, at, out);
  }
  return out;
}

/** @returns the position after it */
function readVarint(bytes: Uint8Array, from: number, out: number[]): number {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length; at++, scale *= 128) {
    value += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! >= 0x80) continue;
    out.push(value);
    return at + 1;
  }
  throw new RangeError(`no number at byte ${from}`);
}

const FIXED32 = 5;
function floats(fields: readonly Field[], id: number): Float32Array {
  const found = fields.filter((field) => field.id === id);
  const [only] = found;
  if (found.length === 1 && only!.wire === LENGTH_DELIMITED) return floatsIn(only!.content);
  const out = new Float32Array(found.length);
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  found.forEach((field, i) => {
    if (field.wire !== FIXED32) throw new RangeError(`wire type ${field.wire} in a list of floats`);
    bytes.set(field.fixed);
    out[i] = view.getFloat32(0, true);
  });
  return out;
}

function floatsIn(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getFloat32(i * 4, true));
}

function int64sIn(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: Math.floor(bytes.length / 8) }, (_, i) => view.getUint32(i * 8, true) + view.getInt32(i * 8 + 4, true) * 2 ** 32);
}
