import { digamma, trigamma, trigammaInverse } from './distributions.js';

/** A variance that is expected before one's own data are seen, worth `dof` degrees of freedom. */
export interface VariancePrior {
  readonly variance: number;
  readonly dof: number;
}

export const NO_PRIOR: VariancePrior = { variance: 0, dof: 0 };
/** Below so many variances there is nothing to learn from each other. */
const VARIANCES_MIN = 5;
/** Tests that are alike in scale must not pass for more evidence than some ten windows of their own. */
const PRIOR_DOF_MAX = 10;

/**
 * How variances of parallel tests scatter around a common one: a scaled F distribution, fitted by the moments of their
 * logarithms. Smyth, "Linear models and empirical Bayes methods for assessing differential expression", 2004, section 6.2.
 * @param dof degrees of freedom of each of them
 */
export function variancePrior(variances: readonly number[], dof: number): VariancePrior {
  const positive = variances.filter((variance) => variance > 0);
  if (positive.length < VARIANCES_MIN) return NO_PRIOR;
  const e = positive.map((variance) => Math.log(variance) - digamma(dof / 2) + Math.log(dof / 2));
  const mean = e.reduce((sum, value) => sum + value, 0) / e.length;
  const spread = e.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (e.length - 1) - trigamma(dof / 2);
  if (!(spread > 0)) return { variance: Math.exp(mean), dof: PRIOR_DOF_MAX };
  const fitted = 2 * trigammaInverse(spread);
  return { variance: Math.exp(mean + digamma(fitted / 2) - Math.log(fitted / 2)), dof: Math.min(fitted, PRIOR_DOF_MAX) };
}

/** A test's own variance and the prior, each by its degrees of freedom. */
export function moderated(variance: number, dof: number, prior: VariancePrior): VariancePrior {
  return { variance: (dof * variance + prior.dof * prior.variance) / (dof + prior.dof), dof: dof + prior.dof };
}
