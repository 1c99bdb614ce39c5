/** What the business does with a score. */
export const DECISIONS = ['keep', 'at_risk'] as const;
export type Decision = (typeof DECISIONS)[number];

/** The score that says nothing, unless the setting FALLBACK_SCORE has another: for a row that the model failed on; its prediction is flagged as degraded. */
export const FALLBACK_SCORE = 0.5;

export const decide = (score: number, threshold: number): Decision => (score >= threshold ? 'at_risk' : 'keep');

/** True for what a model may answer. Values beyond float32 can turn into infinities and NaN inside a linear model. */
export const isScore = (score: number): boolean => score >= 0 && score <= 1;
