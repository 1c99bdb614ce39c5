import { graphFieldsOf } from '../../../schemas/onnx/graph.js';
import { concat, firstText, integer, message, readFields, text, type Field } from '../../../schemas/onnx/protobuf.js';

/** Field numbers of onnx.proto, which never change: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL = { graph: 7, opsets: 8 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 } as const;
const VALUE_NAME = 1;
const TENSOR_NAME = 8;
const FLOAT = 1;
const INT64 = 7;
/** Gather is in every operator set of ONNX from the first on; this one is known to all its runtimes. */
const DEFAULT_OPSET = 9;

const NEW_INPUT = 'tidemark_view';
const COLUMNS = 'tidemark_columns';

export interface ForeignGraph {
  /** Inputs that are not constants of the graph itself. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Operators that occur. */
  readonly operators: readonly string[];
}

/** @throws RangeError where the bytes are no ONNX model */
export function describeGraph(onnx: Uint8Array): ForeignGraph {
  const graph = graphFieldsOf(onnx);
  return {
    inputs: openInputs(graph).map(nameOf), outputs: graph.filter(({ id }) => id === GRAPH.output).map(nameOf),
    operators: [...new Set(graph.filter(({ id }) => id === GRAPH.node).map((node) => operatorOf(node)))].sort(),
  };
}

/**
 * Takes ZipMap nodes out of a graph: scikit-learn's converters put them last, they make a sequence of maps of the
 * probabilities, and ONNX Runtime gives no such thing to JavaScript. What went into the node becomes the output.
 * @returns the same bytes where there is none
 */
export function withoutZipMap(onnx: Uint8Array): Uint8Array {
  const graph = graphFieldsOf(onnx);
  const zips = graph.filter((field) => field.id === GRAPH.node && operatorOf(field) === 'ZipMap');
  if (zips.length === 0) return onnx;
  const before = new Map(zips.map(({ content }) => {
    return [firstText(content, NODE.output), firstText(content, NODE.input)];
  }));
  return changeGraph(onnx, (bytes) => graph.filter((field) => !zips.includes(field)).map((field) => {
    const source = field.id === GRAPH.output ? before.get(nameOf(field)) : undefined;
    return source === undefined ? bytes.subarray(field.start, field.end) : message(GRAPH.output, floatMatrix(source, 2));
  }));
}

/**
 * Puts a choice of columns before the graph: the model then takes rows of the whole feature view.
 * @param columns for each of the model's own columns its place in the view
 * @throws RangeError where the graph has not one open input
 */
export function onViewRows(onnx: Uint8Array, columns: readonly number[], viewWidth: number): Uint8Array {
  const graph = graphFieldsOf(onnx);
  const [input, ...others] = openInputs(graph);
  if (input === undefined || others.length > 0) throw new RangeError(`${1 + others.length} inputs, expected one`);
  const gather = message(GRAPH.node,
    text(NODE.input, NEW_INPUT), text(NODE.input, COLUMNS), text(NODE.output, nameOf(input)), text(NODE.name, COLUMNS), text(NODE.operator, 'Gather'),
    message(NODE.attribute, text(1, 'axis'), integer(3, 1), integer(20, 2)));
  const indices = message(GRAPH.initializer, integer(1, columns.length), integer(2, INT64), text(TENSOR_NAME, COLUMNS), message(9, int64s(columns)));
  const changed = changeGraph(onnx, (bytes) => [
    gather,
    ...graph.map((field) => (field === input ? message(GRAPH.input, floatMatrix(NEW_INPUT, viewWidth)) : bytes.subarray(field.start, field.end))),
    indices,
  ]);
  return withDefaultOpset(changed);
}

/** Models of tree operators alone do not import the default operator set, which Gather belongs to. */
function withDefaultOpset(onnx: Uint8Array): Uint8Array {
  const domains = readFields(onnx).filter(({ id }) => id === MODEL.opsets).map(({ content }) => firstText(content, 1));
  return domains.some((domain) => domain === '' || domain === 'ai.onnx') ? onnx : concat([onnx, message(MODEL.opsets, text(1, ''), integer(2, DEFAULT_OPSET))]);
}

function changeGraph(onnx: Uint8Array, parts: (graph: Uint8Array) => Uint8Array[]): Uint8Array {
  return concat(readFields(onnx).map((field) => (field.id === MODEL.graph ? message(MODEL.graph, ...parts(field.content)) : onnx.subarray(field.start, field.end))));
}

/** Older files list constants among the inputs, too. */
function openInputs(graph: readonly Field[]): Field[] {
  const constants = new Set(graph.filter(({ id }) => id === GRAPH.initializer).map(({ content }) => firstText(content, TENSOR_NAME)));
  return graph.filter((field) => field.id === GRAPH.input && !constants.has(nameOf(field)));
}

const nameOf = ({ content }: Field): string => firstText(content, VALUE_NAME);
const operatorOf = ({ content }: Field): string => firstText(content, NODE.operator);

/** ValueInfoProto of a float tensor [N, columns]. */
const floatMatrix = (name: string, columns: number): Uint8Array =>
  concat([text(VALUE_NAME, name), message(2, message(1, integer(1, FLOAT), message(2, message(1, text(2, 'N')), message(1, integer(1, columns)))))]);

function int64s(values: readonly number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, i) => out.setUint32(i * 8, value, true));
  return new Uint8Array(out.buffer);
}
