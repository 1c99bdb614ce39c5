/**
 * A tree ensemble as parallel arrays over all nodes, as ONNX's TreeEnsembleRegressor has it: at an inner node a row goes to
 * `yes` when its feature is below the threshold, to `no` otherwise, and where `missing_yes` says when it is NaN.
 */
export interface TreeEnsemble {
  readonly tree: number[];
  readonly node: number[];
  readonly feature: number[];
  /** Threshold of an inner node, weight of a leaf; float32. */
  readonly value: number[];
  readonly leaf: boolean[];
  readonly yes: number[];
  readonly no: number[];
  readonly missing_yes: boolean[];
  /** Sum of the hessian of the rows that came by: what explanations weigh the ways by. */
  readonly cover: number[];
  readonly trees: number;
  readonly features: number;
  /** What every row starts from, before the leaves are added: log-odds for binary:logistic. */
  readonly base_margin: number;
  readonly objective: string;
}

/** The part of XGBoost's model schema that is read: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html */
interface XgboostModel {
  learner: {
    gradient_booster: { name: string; model?: { trees: XgboostTree[] } };
    learner_model_param: { base_score: string; num_class: string; num_feature: string };
    objective: { name: string };
  };
}
interface XgboostTree {
  left_children: number[];
  right_children: number[];
  split_indices: number[];
  split_conditions: number[];
  default_left: (number | boolean)[];
  categories_nodes?: number[];
  loss_changes: number[];
  sum_hessian: number[];
}

/** A model that has no tree ensemble of one output. */
export class UnsupportedModel extends Error {}

/** @param json what XGBoosterSaveModelToBuffer writes as JSON, of XGBoost 2 or 3 */
export function parseTreeEnsemble(json: string): TreeEnsemble {
  const { learner } = JSON.parse(json) as XgboostModel;
  const { name, model } = learner.gradient_booster;
  if (name !== 'gbtree' || model === undefined) throw new UnsupportedModel(`booster ${name}: only gbtree is a tree ensemble`);
  const objective = learner.objective.name;
  if (Number(learner.learner_model_param.num_class) > 1) throw new UnsupportedModel(`${learner.learner_model_param.num_class} classes: only models of one output are read`);
  const ensemble: TreeEnsemble = {
    tree: [], node: [], feature: [], value: [], leaf: [], yes: [], no: [], missing_yes: [], cover: [],
    trees: model.trees.length, features: Number(learner.learner_model_param.num_feature),
    base_margin: baseMargin(learner.learner_model_param.base_score, objective), objective,
  };
  model.trees.forEach((tree, index) => appendTree(ensemble, tree, index));
  return ensemble;
}

/** What each feature's splits gained together, in the loss; the importance that XGBoost names `total_gain`. */
export function gainsOf(json: string): Float64Array {
  const { learner } = JSON.parse(json) as XgboostModel;
  const gains = new Float64Array(Number(learner.learner_model_param.num_feature));
  for (const tree of learner.gradient_booster.model?.trees ?? [])
    tree.left_children.forEach((left, node) => { if (left !== -1) gains[tree.split_indices[node]!]! += tree.loss_changes[node]!; });
  return gains;
}

/** Walks from the root, so that nodes that pruning left unreachable stay behind; children come after their parent. */
function appendTree(into: TreeEnsemble, tree: XgboostTree, index: number): void {
  if ((tree.categories_nodes?.length ?? 0) > 0) throw new UnsupportedModel(`tree ${index} splits on categories`);
  const order = [0];
  for (let i = 0; i < order.length; i++) {
    const at = order[i]!;
    const leaf = tree.left_children[at] === -1;
    into.tree.push(index);
    into.node.push(i);
    into.leaf.push(leaf);
    into.value.push(Math.fround(tree.split_conditions[at]!));
    into.cover.push(Math.fround(tree.sum_hessian[at]!));
    into.feature.push(leaf ? 0 : tree.split_indices[at]!);
    into.missing_yes.push(!leaf && Boolean(tree.default_left[at]));
    into.yes.push(leaf ? 0 : order.push(tree.left_children[at]!) - 1);
    into.no.push(leaf ? 0 : order.push(tree.right_children[at]!) - 1);
  }
}

/** XGBoost 3 writes base_score as a list with one element, before that as a number; for logistic it is a probability. */
function baseMargin(text: string, objective: string): number {
  const score = Math.fround(Number(text.replace(/^\[|\]$/g, '')));
  if (!Number.isFinite(score)) throw new UnsupportedModel(`base_score ${text}: expected one finite number`);
  if (objective === 'reg:squarederror') return score;
  if (objective !== 'binary:logistic' && objective !== 'reg:logistic') throw new UnsupportedModel(`objective ${objective}: expected binary:logistic`);
  return Math.fround(-Math.log(Math.fround(Math.fround(1 / score) - 1)));
}
