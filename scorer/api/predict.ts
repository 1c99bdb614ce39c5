import { z } from 'zod';
import { TidemarkError } from '../../runtime/errors.js';
import { featureNames } from '../../schemas/features/derive.js';
import { DECISIONS } from '../core/decision.js';
import { fillFromPrediction } from '../store/prediction.js';
import { readJson } from './body.js';
import { predictRequestParser, predictSchemas } from './predict-request.js';
import { invalid, sendJson, sendProblem, type Problem } from './problem.js';
import type { ScoreAnswer } from './score-queue.js';
import type { Route } from './route.js';
import type { ServerParts } from './server.js';

export const unknownCustomer = (customerId: string): Problem =>
  ({ status: 404, code: 'NOT_FOUND', detail: `customer ${JSON.stringify(customerId)} is not in this scorer’s online store: no event of theirs has been scored here` });

const NOT_READY: Problem = { status: 503, code: 'PART_NOT_READY', detail: 'no model serves yet; /health says more', retryAfterS: 5 };
const FAILED: Problem = { status: 503, code: 'INTERNAL', detail: 'the model failed on this request; the scorer’s log has the cause', retryAfterS: 5 };
const OVERLOADED: Problem = { status: 503, code: 'PART_NOT_READY', detail: 'more requests wait than can be scored at once', retryAfterS: 1 };

const answerSchema = z.object({
  customer_id: z.string().optional(), score: z.number().min(0).max(1).describe('P(churn)'), decision: z.enum(DECISIONS), model_version: z.string(), view_version: z.int(),
  degraded: z.boolean().describe('the model gave no probability: the score says nothing'), scored_at: z.iso.datetime(),
});

/** POST /predict: one score, from the online store or from given values. */
export function routePredict({ view, queue, latest, log }: Pick<ServerParts, 'view' | 'queue' | 'latest' | 'log'>): Route[] {
  const names = featureNames(view);
  const parse = predictRequestParser(names);
  return [{
    method: 'post', path: '/predict', role: 'scorer',
    doc: {
      summary: 'one score', tag: 'scores',
      description: 'By customer_id, from the online store; or of given values, by name or in view order, null where one is missing. Requests that arrive together are scored together.',
      body: { 'application/json': predictSchemas(names).any },
      answers: { 200: { what: 'the score', content: { 'application/json': answerSchema } } },
      problems: [400, 404, 413, 415, 503],
    },
    handle(res, req, finish) {
      readJson(res, req, (body, unreadable) => {
        const refuse = (problem: Problem): void => finish((r) => sendProblem(r, problem));
        if (unreadable !== undefined) return refuse(unreadable);
        const request = parse(body);
        if ('errors' in request) return refuse(invalid(request.errors));
        let fill: (matrix: Float32Array, at: number) => void;
        if ('values' in request) fill = (matrix, at) => matrix.set(request.values, at);
        else {
          const framed = latest(request.customerId);
          if (framed === undefined) return refuse(unknownCustomer(request.customerId));
          fill = (matrix, at) => fillFromPrediction(framed, names.length, matrix, at);
        }
        const customerId = 'customerId' in request ? request.customerId : undefined;
        const taken = queue.submit(fill, (answer) => {
          if (answer instanceof Error) {
            const waiting = answer instanceof TidemarkError && answer.code === 'PART_NOT_READY';
            if (!waiting) log.error('predict_failed', answer);
            return refuse(waiting ? NOT_READY : FAILED);
          }
          finish((r) => sendJson(r, answerJson(answer, view.version, customerId)));
        });
        if (!taken) refuse(OVERLOADED);
      });
    },
  }];
}

function answerJson({ score, decision, modelVersion, degraded, scoredAt }: ScoreAnswer, viewVersion: number, customerId?: string): Record<string, unknown> {
  return {
    ...(customerId === undefined ? {} : { customer_id: customerId }),
    score, decision, model_version: modelVersion, view_version: viewVersion, degraded, scored_at: new Date(scoredAt).toISOString(),
  };
}
