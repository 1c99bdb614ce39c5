import { z } from 'zod';
import { TidemarkError } from '../../runtime/errors.js';
import { featureNames } from '../../schemas/features/derive.js';
import { createRowReader } from '../core/json-rows.js';
import { DECISIONS } from '../core/decision.js';
import { isoTimes } from '../core/iso-times.js';
import { fillFromPrediction } from '../store/prediction.js';
import { JSON_BODY, parseJson, readBytes } from './body.js';
import { explainProblem, explanationSchema, NOT_EXPLAINED } from '../explain/answers.js';
import type { Explanations } from '../explain/explanations.js';
import { predictRequestParser, predictSchemas, withoutExplain } from './predict-request.js';
import { FAILED, invalid, NOT_READY, OVERLOADED, sendJson, sendProblem, unknownCustomer, type Problem, type TaggedResponse } from './problem.js';
import type { ScoreAnswer } from './score-queue.js';
import type { Finish, Route } from './route.js';
import { aged, stalenessOf, stalenessSchema, type Staleness } from './staleness.js';
import type { ServerParts } from './server.js';

const answerSchema = z.object({
  customer_id: z.string().optional(), score: z.number().min(0).max(1).describe('P(churn)'), decision: z.enum(DECISIONS), model_version: z.string(), view_version: z.int(),
  degraded: z.boolean().describe('the model gave no probability: the score says nothing'), scored_at: z.iso.datetime(),
  ...stalenessSchema,
  explanation: explanationSchema.optional().describe('where the body says explain'),
});

/** What a body asks for besides its row. */
interface Asked { readonly customerId?: string; readonly explain?: boolean; readonly staleness?: Staleness }

/** POST /predict: one score, from the online store or from given values. */
export function routePredict({ view, queue, latest, log, apiLog, explanations, asOf }: Pick<ServerParts, 'view' | 'queue' | 'latest' | 'log' | 'apiLog' | 'explanations' | 'asOf'>): Route[] {
  const names = featureNames(view);
  const rows = createRowReader(names);
  const parse = predictRequestParser(names);
  const write = answerWriter(view.version);

  function score(finish: Finish, requestId: string, { customerId, staleness, explain = false }: Asked): void {
    queue.submit((answer, matrix, at) => {
      if (answer instanceof Error) return failed(finish, answer);
      const json = staleness === undefined ? write(answer, customerId) : `${write(answer, customerId).slice(0, -1)},"as_of":${JSON.stringify(staleness.as_of)},"stale_s":${staleness.stale_s}}`;
      if (explain) explained((send) => finish((r) => send(aged(r, staleness))), json, answer.modelVersion, matrix.slice(at, at + names.length), explanations!);
      else finish((r) => sendJson(aged(r, staleness), json));
      // The client does not wait for it.
      apiLog?.add({
        requestId, row: 0, source: 'predict', customerId: customerId ?? '', scoredAt: answer.scoredAt, score: answer.score, atRisk: answer.decision === 'at_risk', modelVersion: answer.modelVersion, degraded: answer.degraded,
      }, matrix, at);
    });
  }

  function failed(finish: Finish, error: Error): void {
    const waiting = error instanceof TidemarkError && error.code === 'PART_NOT_READY';
    if (!waiting) log.error('predict_failed', error);
    finish((r) => sendProblem(r, waiting ? NOT_READY : FAILED));
  }

  /** The answer waits for its explanation, which is made on another thread. */
  function explained(finish: Finish, json: string, version: string, row: Float32Array, by: Explanations): void {
    by.ofRow(row, version).then(
      (explanation) => finish((r) => sendJson(r, `${json.slice(0, -1)},"explanation":${JSON.stringify(explanation)}}`)),
      (error: unknown) => finish((r) => sendProblem(r, explainProblem(error, log))),
    );
  }

  /** Puts the row of a body that is not written the usual way at `at`. @returns the customer whose row it is, or what is wrong */
  function general(bytes: Uint8Array, at: number): Asked | Problem {
    const parsed = parseJson(bytes);
    if ('problem' in parsed) return parsed.problem;
    const { body, explain } = withoutExplain(parsed.body);
    const request = parse(body);
    if ('errors' in request) return invalid(request.errors);
    if (explain && explanations === undefined) return NOT_EXPLAINED;
    if ('values' in request) {
      queue.matrix.set(request.values, at);
      return { explain };
    }
    const framed = latest(request.customerId);
    if (framed === undefined) return unknownCustomer(request.customerId);
    fillFromPrediction(framed, names.length, queue.matrix, at);
    return { ...request, explain, ...(asOf === undefined ? {} : { staleness: stalenessOf(framed, asOf, Date.now()) }) };
  }

  return [{
    method: 'post', path: '/predict', role: 'scorer',
    doc: {
      summary: 'one score', tag: 'scores',
      description: 'By customer_id, from the online store; or of given values, by name or in view order, null where one is missing. Requests that arrive together are scored together. With explain: true the answer says what the score is made of.',
      body: { 'application/json': predictSchemas(names).any },
      answers: { 200: { what: 'the score', content: { 'application/json': answerSchema } } },
      problems: [400, 404, 413, 415, 422, 503],
    },
    handle(res: TaggedResponse, req, finish) {
      const requestId = res.requestId ?? '';
      readBytes(res, req, JSON_BODY, (bytes, unreadable) => {
        if (bytes === undefined) return finish((r) => sendProblem(r, unreadable!));
        const at = queue.next();
        if (at < 0) return finish((r) => sendProblem(r, OVERLOADED));
        if (rows.body(bytes, bytes.length, queue.matrix, at)) return score(finish, requestId, {});
        const found = general(bytes, at);
        if ('status' in found) return finish((r) => sendProblem(r, found));
        score(finish, requestId, found);
      });
    },
  }];
}

/** Writes answers; what many have in common is made once. */
function answerWriter(viewVersion: number): (answer: ScoreAnswer, customerId: string | undefined) => string {
  const iso = isoTimes();
  let version: string | undefined;
  let middle = '';
  return (answer, customerId) => {
    if (answer.modelVersion !== version) {
      version = answer.modelVersion;
      middle = `","model_version":${JSON.stringify(version)},"view_version":${viewVersion},"degraded":`;
    }
    const start = customerId === undefined ? '{"score":' : `{"customer_id":${JSON.stringify(customerId)},"score":`;
    return `${start}${answer.score},"decision":"${answer.decision}${middle}${answer.degraded},"scored_at":"${iso(answer.scoredAt)}"}`;
  };
}
