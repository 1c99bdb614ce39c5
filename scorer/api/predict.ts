import { z } from 'zod';
import { TidemarkError } from '../../runtime/errors.js';
import { featureNames } from '../../schemas/features/derive.js';
import { createRowReader } from '../core/json-rows.js';
import { DECISIONS } from '../core/decision.js';
import { fillFromPrediction } from '../store/prediction.js';
import { JSON_BODY, parseJson, readBytes } from './body.js';
import { predictRequestParser, predictSchemas } from './predict-request.js';
import { FAILED, invalid, NOT_READY, OVERLOADED, sendJson, sendProblem, unknownCustomer, type Problem, type TaggedResponse } from './problem.js';
import type { ScoreAnswer } from './score-queue.js';
import type { Finish, Route } from './route.js';
import type { ServerParts } from './server.js';

const answerSchema = z.object({
  customer_id: z.string().optional(), score: z.number().min(0).max(1).describe('P(churn)'), decision: z.enum(DECISIONS), model_version: z.string(), view_version: z.int(),
  degraded: z.boolean().describe('the model gave no probability: the score says nothing'), scored_at: z.iso.datetime(),
});

/** POST /predict: one score, from the online store or from given values. */
export function routePredict({ view, queue, latest, log, apiLog }: Pick<ServerParts, 'view' | 'queue' | 'latest' | 'log' | 'apiLog'>): Route[] {
  const names = featureNames(view);
  const rows = createRowReader(names);
  const parse = predictRequestParser(names);
  const write = answerWriter(view.version);

  function score(finish: Finish, requestId: string, customerId: string | undefined): void {
    queue.submit((answer, matrix, at) => {
      if (!(answer instanceof Error)) {
        apiLog?.add({
          requestId, row: 0, source: 'predict', customerId: customerId ?? '', scoredAt: answer.scoredAt, score: answer.score, atRisk: answer.decision === 'at_risk', modelVersion: answer.modelVersion, degraded: answer.degraded,
        }, matrix, at);
        return finish((r) => sendJson(r, write(answer, customerId)));
      }
      const waiting = answer instanceof TidemarkError && answer.code === 'PART_NOT_READY';
      if (!waiting) log.error('predict_failed', answer);
      finish((r) => sendProblem(r, waiting ? NOT_READY : FAILED));
    });
  }

  /** Puts the row of a body that is not written the usual way at `at`. @returns the customer whose row it is, or what is wrong */
  function general(bytes: Uint8Array, at: number): { readonly customerId?: string } | Problem {
    const parsed = parseJson(bytes);
    if ('problem' in parsed) return parsed.problem;
    const request = parse(parsed.body);
    if ('errors' in request) return invalid(request.errors);
    if ('values' in request) {
      queue.matrix.set(request.values, at);
      return {};
    }
    const framed = latest(request.customerId);
    if (framed === undefined) return unknownCustomer(request.customerId);
    fillFromPrediction(framed, names.length, queue.matrix, at);
    return request;
  }

  return [{
    method: 'post', path: '/predict', role: 'scorer',
    doc: {
      summary: 'one score', tag: 'scores',
      description: 'By customer_id, from the online store; or of given values, by name or in view order, null where one is missing. Requests that arrive together are scored together.',
      body: { 'application/json': predictSchemas(names).any },
      answers: { 200: { what: 'the score', content: { 'application/json': answerSchema } } },
      problems: [400, 404, 413, 415, 503],
    },
    handle(res: TaggedResponse, req, finish) {
      const requestId = res.requestId ?? '';
      readBytes(res, req, JSON_BODY, (bytes, unreadable) => {
        if (bytes === undefined) return finish((r) => sendProblem(r, unreadable!));
        const at = queue.next();
        if (at < 0) return finish((r) => sendProblem(r, OVERLOADED));
        if (rows.body(bytes, bytes.length, queue.matrix, at)) return score(finish, requestId, undefined);
        const found = general(bytes, at);
        if ('status' in found) return finish((r) => sendProblem(r, found));
        score(finish, requestId, found.customerId);
      });
    },
  }];
}

/** Writes answers; what many have in common is made once. */
function answerWriter(viewVersion: number): (answer: ScoreAnswer, customerId: string | undefined) => string {
  let version: string | undefined;
  let scoredAt = Number.NaN;
  let middle = '';
  let end = '';
  return (answer, customerId) => {
    if (answer.modelVersion !== version) {
      version = answer.modelVersion;
      middle = `","model_version":${JSON.stringify(version)},"view_version":${viewVersion},"degraded":`;
    }
    if (answer.scoredAt !== scoredAt) {
      scoredAt = answer.scoredAt;
      end = `,"scored_at":"${new Date(scoredAt).toISOString()}"}`;
    }
    const start = customerId === undefined ? '{"score":' : `{"customer_id":${JSON.stringify(customerId)},"score":`;
    return `${start}${answer.score},"decision":"${answer.decision}${middle}${answer.degraded}${end}`;
  };
}
