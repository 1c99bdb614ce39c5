import { TidemarkError, messageOf } from '../../runtime/errors.js';
import { parseTreeEnsemble, type TreeEnsemble } from '../core/tree-ensemble.js';
import { buildModel, constant, floats, INPUT_NAME, int, ints, OUTPUT_NAME, string, strings, type Node, type Part } from './graph.js';

/**
 * A tree model's probability: for a logistic objective the trees' sum to log-odds and the logistic function, for a squared
 * error (a forest of means of labels) their sum, kept within 0 and 1. Splits compare float32 with float32 by `<`, as XGBoost
 * does, and NaN takes each node's default direction.
 * @param json the model as XGBoost saves it in JSON
 * @param output name of the probability
 * @throws TidemarkError MODEL_INVALID where the model is none of one probability by trees
 */
export function treesPart(json: string, features: number, output: string): Part {
  let ensemble: TreeEnsemble;
  try {
    ensemble = parseTreeEnsemble(json);
  } catch (error) {
    throw new TidemarkError('MODEL_INVALID', `XGBoost model to ONNX: ${messageOf(error)}`, { cause: error });
  }
  if (ensemble.features !== features)
    throw new TidemarkError('MODEL_INVALID', `XGBoost model to ONNX: trained on ${ensemble.features} features, ${features} names given`);
  const sum = `${output}_trees`;
  const logistic = ensemble.objective.endsWith('logistic');
  return {
    nodes: [treesNode(ensemble, sum), { operator: logistic ? 'Sigmoid' : 'Clip', inputs: logistic ? [sum] : [sum, `${output}_low`, `${output}_high`], outputs: [output] }],
    constants: logistic ? [] : [constant(`${output}_low`, [0], []), constant(`${output}_high`, [1], [])],
  };
}

/** The whole ONNX file of an XGBoost tree model. @throws TidemarkError MODEL_INVALID */
export function onnxFromXgboost(json: string, feature_names: readonly string[], name: string): Buffer {
  return buildModel(name, feature_names.length, treesPart(json, feature_names.length, OUTPUT_NAME), { feature_names: JSON.stringify(feature_names) });
}

function treesNode(e: TreeEnsemble, output: string): Node {
  const inner = <T>(values: readonly T[], leaf: T): T[] => values.map((value, i) => (e.leaf[i] ? leaf : value));
  const leaves = <T>(values: readonly T[]): T[] => values.filter((_, i) => e.leaf[i]);
  const weights = leaves(e.value);
  return {
    operator: 'TreeEnsembleRegressor', domain: 'ai.onnx.ml', inputs: [INPUT_NAME], outputs: [output],
    attributes: [
      ints('nodes_treeids', e.tree),
      ints('nodes_nodeids', e.node),
      ints('nodes_featureids', e.feature),
      strings('nodes_modes', e.leaf.map((leaf) => (leaf ? 'LEAF' : 'BRANCH_LT'))),
      floats('nodes_values', inner(e.value, 0)),
      ints('nodes_truenodeids', e.yes),
      ints('nodes_falsenodeids', e.no),
      // Runtimes pass them over; the scorer's explanations need them (scorer/explain).
      floats('nodes_hitrates', e.cover),
      ints('nodes_missing_value_tracks_true', e.missing_yes.map(Number)),
      ints('target_treeids', leaves(e.tree)),
      ints('target_nodeids', leaves(e.node)),
      ints('target_ids', weights.map(() => 0)),
      floats('target_weights', weights),
      floats('base_values', [e.base_margin]),
      int('n_targets', 1),
      string('aggregate_function', 'SUM'),
      string('post_transform', 'NONE'),
    ],
  };
}
