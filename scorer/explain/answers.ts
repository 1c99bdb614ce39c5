import { z } from 'zod';
import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { INTERNAL, type Problem } from '../api/problem.js';

const contribution = z.object({
  feature: z.string(), description: z.string().describe('the feature in words'), value: z.number().nullable().describe('null where it is missing'), contribution: z.number(),
});
export const explanationSchema = z.object({
  model_version: z.string(), unit: z.enum(['log_odds', 'probability']), base_value: z.number(),
  margin: z.number().describe('base_value, contributions and others together'), score: z.number().min(0).max(1).describe('P(churn) that the margin means'),
  contributions: z.array(contribution).describe('largest first'), others: z.object({ features: z.int(), contribution: z.number() }).describe('all features that are not listed'),
  note: z.string().describe('how the score follows'),
});

const eventSchema = z.object({
  event_id: z.string(), event_type: z.string().nullable(), trigger: z.string(), event_time: z.iso.datetime(), score_before: z.number(), score_after: z.number(), score_change: z.number(),
  model_version: z.string(), margin_change: z.number().describe('by the model of the explanation'),
  features: z.array(z.object({ feature: z.string(), description: z.string(), before: z.number().nullable(), after: z.number().nullable(), contribution_change: z.number() })),
});
export const recentSchema = z.object({
  available: z.boolean(), reason: z.string().optional().describe('why not'),
  events: z.array(eventSchema).describe('latest first'),
});

export const NOT_EXPLAINED: Problem = { status: 503, code: 'PART_NOT_READY', detail: 'this scorer makes no explanations', retryAfterS: 60 };

/** What a client is told where an explanation was not made. */
export function explainProblem(error: unknown, log: Log): Problem {
  if (error instanceof TidemarkError && error.code === 'MODEL_NOT_EXPLAINABLE') return { status: 422, code: error.code, detail: error.message };
  if (error instanceof TidemarkError && error.code === 'PART_NOT_READY') return { status: 503, code: error.code, detail: error.message, retryAfterS: 1 };
  log.error('explain_failed', error);
  return INTERNAL;
}
