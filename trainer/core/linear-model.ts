/** A linear model of log-odds: x · weights + bias. */
export interface LinearModel {
  readonly weights: Float32Array;
  readonly bias: number;
}

interface XgboostLinear {
  learner: {
    gradient_booster: { name: string; model?: { weights: number[] } };
    learner_model_param: { base_score: string };
  };
}

/** Reads a gblinear model of one output from XGBoost's JSON: its weights, then its bias; base_score is a probability. */
export function parseLinearModel(json: string): LinearModel {
  const { gradient_booster, learner_model_param } = (JSON.parse(json) as XgboostLinear).learner;
  if (gradient_booster.name !== 'gblinear' || gradient_booster.model === undefined) throw new Error(`booster ${gradient_booster.name}: only gblinear is a linear model`);
  const base = Number(learner_model_param.base_score.replace(/^\[|\]$/g, ''));
  const { weights } = gradient_booster.model;
  return { weights: Float32Array.from(weights.slice(0, -1)), bias: Math.fround(weights.at(-1)! - Math.log(1 / base - 1)) };
}
