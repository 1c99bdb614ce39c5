import { integer, message, text } from '../../schemas/onnx/protobuf.js';

/**
 * Small models as foreign exporters write them, field by field (numbers are those of onnx.proto), with what they compute in
 * plain loops. Three columns; a column's value decides.
 */
export interface TinyModel {
  readonly name: string;
  readonly onnx: Uint8Array;
  score(row: readonly number[]): number;
}

const FLOAT = 1;
const INT64 = 7;
const floats32 = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const attribute = {
  ints: (name: string, values: readonly number[]) => message(5, text(1, name), ...values.map((value) => integer(8, value)), integer(20, 7)),
  floats: (name: string, values: readonly number[]) => message(5, text(1, name), ...values.map((value) => new Uint8Array([0x3d, ...floats32([value])])), integer(20, 6)),
  strings: (name: string, values: readonly string[]) => message(5, text(1, name), ...values.map((value) => text(9, value)), integer(20, 8)),
  string: (name: string, value: string) => message(5, text(1, name), text(4, value), integer(20, 3)),
  int: (name: string, value: number) => message(5, text(1, name), integer(3, value), integer(20, 2)),
};
const node = (operator: string, domain: string, inputs: readonly string[], outputs: readonly string[], attributes: readonly Uint8Array[] = []): Uint8Array =>
  message(1, ...inputs.map((input) => text(1, input)), ...outputs.map((output) => text(2, output)), text(3, `${operator} of ${outputs[0]}`), text(4, operator), ...attributes, text(7, domain));
const shape = (...dims: (number | string)[]): Uint8Array => message(2, ...dims.map((dim) => message(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim))));
const tensorValue = (id: number, name: string, type: number, ...dims: (number | string)[]): Uint8Array => message(id, text(1, name), message(2, message(1, integer(1, type), shape(...dims))));
/** seq(map(int64, tensor(float))) */
const mapsValue = (id: number, name: string): Uint8Array =>
  message(id, text(1, name), message(2, message(4, message(1, message(5, integer(1, INT64), message(2, message(1, integer(1, FLOAT))))))));
const tensor = (name: string, dims: readonly number[], values: readonly number[]): Uint8Array =>
  message(5, ...dims.map((dim) => integer(1, dim)), integer(2, FLOAT), text(8, name), message(9, floats32(values)));
const opset = (domain: string, version: number): Uint8Array => message(8, text(1, domain), integer(2, version));

function model(graph: readonly Uint8Array[], opsets: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from([...integer(1, 8), ...text(2, 'elsewhere'), ...message(7, ...graph, text(2, 'g')).values(), ...opsets.flatMap((one) => [...one])]);
}

const ML = 'ai.onnx.ml';
/** Two stumps: column 0 below 2.5, column 2 below 0.5; NaN goes to the right. */
const STUMPS = [{ feature: 0, at: 2.5, yes: 0.9, no: 0.2 }, { feature: 2, at: 0.5, yes: 0.7, no: 0.4 }];

function classifier(outputs: readonly [string, string], transform: string, weightOf: (p: number) => number, bothClasses: boolean): Uint8Array {
  const leaves = STUMPS.flatMap(({ yes, no }, tree) => [{ tree, node: 1, p: yes }, { tree, node: 2, p: no }]);
  const weights = leaves.flatMap(({ tree, node: at, p }) => (bothClasses ? [{ tree, at, id: 0, weight: weightOf(1 - p) }, { tree, at, id: 1, weight: weightOf(p) }] : [{ tree, at, id: 0, weight: weightOf(p) }]));
  return node('TreeEnsembleClassifier', ML, ['X'], outputs, [
    attribute.ints('nodes_treeids', [0, 0, 0, 1, 1, 1]), attribute.ints('nodes_nodeids', [0, 1, 2, 0, 1, 2]),
    attribute.ints('nodes_featureids', STUMPS.flatMap(({ feature }) => [feature, 0, 0])), attribute.floats('nodes_values', STUMPS.flatMap(({ at }) => [at, 0, 0])),
    attribute.strings('nodes_modes', ['BRANCH_LT', 'LEAF', 'LEAF', 'BRANCH_LT', 'LEAF', 'LEAF']),
    attribute.ints('nodes_truenodeids', [1, 0, 0, 1, 0, 0]), attribute.ints('nodes_falsenodeids', [2, 0, 0, 2, 0, 0]),
    attribute.ints('class_treeids', weights.map(({ tree }) => tree)), attribute.ints('class_nodeids', weights.map(({ at }) => at)),
    attribute.ints('class_ids', weights.map(({ id }) => id)), attribute.floats('class_weights', weights.map(({ weight }) => weight)),
    attribute.ints('classlabels_int64s', [0, 1]), attribute.string('post_transform', transform),
  ]);
}

const leafOf = (row: readonly number[]): number[] => STUMPS.map(({ feature, at, yes, no }) => (row[feature]! < at ? yes : no));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** scikit-learn's random forest with its ZipMap. */
export const forestWithZipMap: TinyModel = {
  name: 'forest with ZipMap',
  onnx: model([
    classifier(['label', 'probabilities'], 'NONE', (p) => p / STUMPS.length, true),
    node('ZipMap', ML, ['probabilities'], ['output_probability'], [attribute.ints('classlabels_int64s', [0, 1])]),
    tensorValue(11, 'X', FLOAT, 'N', 3), tensorValue(12, 'label', INT64, 'N'), mapsValue(12, 'output_probability'),
  ], [opset('', 15), opset(ML, 1)]),
  score: (row) => leafOf(row).reduce((sum, p) => sum + p, 0) / STUMPS.length,
};

/** LightGBM and XGBoost as onnxmltools writes them: margins of one class, a logistic transform, no default operator set. */
export const boostedTrees: TinyModel = {
  name: 'boosted trees',
  onnx: model([
    classifier(['label', 'probabilities'], 'LOGISTIC', (p) => 4 * p - 2, false),
    tensorValue(11, 'X', FLOAT, 'N', 3), tensorValue(12, 'label', INT64, 'N'), tensorValue(12, 'probabilities', FLOAT, 'N', 2),
  ], [opset(ML, 1)]),
  score: (row) => sigmoid(leafOf(row).reduce((sum, p) => sum + 4 * p - 2, 0)),
};

const W1 = [0.5, -0.25, 0.125, 1, 0.75, -0.5];
const W2 = [0.8, -1.2];
/** A perceptron with a hidden layer of two, missing values taken as 1. */
export const perceptron: TinyModel = {
  name: 'perceptron',
  onnx: model([
    node('Imputer', ML, ['X'], ['filled'], [attribute.floats('imputed_value_floats', [1]), message(5, text(1, 'replaced_value_float'), new Uint8Array([0x15, ...floats32([NaN])]), integer(20, 1))]),
    node('MatMul', '', ['filled', 'w1'], ['hidden']), node('Relu', '', ['hidden'], ['active']), node('MatMul', '', ['active', 'w2'], ['z']), node('Sigmoid', '', ['z'], ['p_churn']),
    tensor('w1', [3, 2], W1), tensor('w2', [2, 1], W2),
    tensorValue(11, 'X', FLOAT, 'N', 3), tensorValue(12, 'p_churn', FLOAT, 'N', 1),
  ], [opset('', 13), opset(ML, 1)]),
  score: (row) => {
    const x = row.map((value) => (Number.isNaN(value) ? 1 : value));
    const hidden = [0, 1].map((h) => Math.max(0, x.reduce((sum, value, i) => sum + value * W1[i * 2 + h]!, 0)));
    return sigmoid(hidden[0]! * W2[0]! + hidden[1]! * W2[1]!);
  },
};

export const TINY_MODELS: readonly TinyModel[] = [forestWithZipMap, boostedTrees, perceptron];
