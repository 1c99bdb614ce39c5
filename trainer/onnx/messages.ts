import protobuf from 'protobufjs';

/**
 * The messages of ONNX's file format, as far as graphs are written here. Numbers are those of onnx.proto, which never
 * change: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
type FieldSpec = readonly [id: number, type: string, rule?: 'repeated'];
const MESSAGES: Record<string, Record<string, FieldSpec>> = {
  ModelProto: {
    irVersion: [1, 'int64'], producerName: [2, 'string'], producerVersion: [3, 'string'], graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto', 'repeated'], metadataProps: [14, 'StringStringEntryProto', 'repeated'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  GraphProto: {
    node: [1, 'NodeProto', 'repeated'], name: [2, 'string'], initializer: [5, 'TensorProto', 'repeated'],
    input: [11, 'ValueInfoProto', 'repeated'], output: [12, 'ValueInfoProto', 'repeated'],
  },
  NodeProto: {
    input: [1, 'string', 'repeated'], output: [2, 'string', 'repeated'], name: [3, 'string'], opType: [4, 'string'],
    attribute: [5, 'AttributeProto', 'repeated'], domain: [7, 'string'],
  },
  AttributeProto: {
    name: [1, 'string'], f: [2, 'float'], i: [3, 'int64'], s: [4, 'bytes'], t: [5, 'TensorProto'], floats: [7, 'float', 'repeated'],
    ints: [8, 'int64', 'repeated'], strings: [9, 'bytes', 'repeated'], type: [20, 'int32'],
  },
  TensorProto: { dims: [1, 'int64', 'repeated'], dataType: [2, 'int32'], name: [8, 'string'], rawData: [9, 'bytes'] },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'] },
  TypeProto: { tensorType: [1, 'TensorTypeProto'] },
  TensorTypeProto: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  TensorShapeProto: { dim: [1, 'DimensionProto', 'repeated'] },
  DimensionProto: { dimValue: [1, 'int64'], dimParam: [2, 'string'] },
};

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(Object.entries(MESSAGES).map(([message, fields]) => [message, {
    fields: Object.fromEntries(Object.entries(fields).map(([name, [id, type, rule]]) => [name, { id, type, ...(rule === undefined ? {} : { rule }) }])),
  }])),
});

/** A message by its field names; absent fields are left out of the bytes. */
export type Message = Record<string, unknown>;

/** The bytes of an ONNX model; the same message gives the same bytes. */
export function encodeModel(model: Message): Buffer {
  const type = root.lookupType('ModelProto');
  const problem = type.verify(model);
  if (problem !== null) throw new Error(`ONNX model message: ${problem}`);
  return Buffer.from(type.encode(model).finish());
}

/** Reads an ONNX model back; fields that are not listed above are passed over. */
export const decodeModel = (bytes: Uint8Array): Message => root.lookupType('ModelProto').decode(bytes) as unknown as Message;
