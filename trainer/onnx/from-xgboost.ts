import { TidemarkError, messageOf } from '../../runtime/errors.js';
import { parseTreeEnsemble, type TreeEnsemble } from '../core/tree-ensemble.js';
import { buildModel, floats, INPUT_NAME, int, ints, OUTPUT_NAME, string, strings, type Node } from './graph.js';

const MARGIN = 'margin';

/**
 * The ONNX graph of an XGBoost model: the trees' sum to log-odds, the logistic function to a probability. Splits compare
 * float32 with float32 by `<`, as XGBoost does, and NaN takes each node's default direction.
 * @param json the model as XGBoost saves it in JSON
 * @throws TidemarkError MODEL_INVALID where the model is none of one probability by trees
 */
export function onnxFromXgboost(json: string, feature_names: readonly string[], name: string): Buffer {
  let ensemble: TreeEnsemble;
  try {
    ensemble = parseTreeEnsemble(json);
  } catch (error) {
    throw new TidemarkError('MODEL_INVALID', `XGBoost model to ONNX: ${messageOf(error)}`, { cause: error });
  }
  if (ensemble.features !== feature_names.length)
    throw new TidemarkError('MODEL_INVALID', `XGBoost model to ONNX: trained on ${ensemble.features} features, ${feature_names.length} names given`);
  const logistic = ensemble.objective.endsWith('logistic');
  const nodes: Node[] = [treesNode(ensemble, logistic ? MARGIN : OUTPUT_NAME)];
  if (logistic) nodes.push({ operator: 'Sigmoid', inputs: [MARGIN], outputs: [OUTPUT_NAME] });
  return buildModel(name, ensemble.features, nodes, { feature_names: JSON.stringify(feature_names) });
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
