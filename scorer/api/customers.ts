import { z } from 'zod';
import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';
import { featureNames } from '../../schemas/features/derive.js';
import { DECISIONS } from '../core/decision.js';
import { explainProblem, explanationSchema, NOT_EXPLAINED, recentSchema } from '../explain/answers.js';
import { HISTORY_ROWS_MAX, type HistoryAnswer } from '../store/history.js';
import { customerJson, partitionOfPrediction, predictionReader } from '../store/prediction.js';
import { fieldErrors } from './predict-request.js';
import { invalid, sendJson, sendProblem, unknownCustomer } from './problem.js';
import type { Route } from './route.js';
import { aged, stalenessOf, stalenessSchema } from './staleness.js';
import type { ServerParts } from './server.js';

const HISTORY_ROWS = 20;
const rowsRule = `a whole number from 0 to ${HISTORY_ROWS_MAX}`;
const query = {
  history: z.coerce.number(rowsRule).int(rowsRule).min(0, rowsRule).max(HISTORY_ROWS_MAX, rowsRule).default(HISTORY_ROWS).describe('scores of the past, newest first'),
  explain: z.enum(['true', 'false'], 'true or false').default('false').describe('true: what the score is made of, and which recent events moved it'),
};
const time = z.iso.datetime();
const past = z.object({ kind: z.enum(['stream', 'api']), prediction_id: z.string(), event_time: time, scored_at: time, score: z.number(), decision: z.string(), model_version: z.string(), degraded: z.boolean() });

/** GET /customers/:id: the latest features, the score that was made from them, and the scores before it. */
export function routeCustomers({ view, latest, serves, history, log, explanations, asOf }: Pick<ServerParts, 'view' | 'latest' | 'serves' | 'history' | 'log' | 'explanations' | 'asOf'>): Route[] {
  const read = predictionReader(view);
  const parameters = z.strictObject(query);
  const answer = z.looseObject({
    customer_id: z.string(), prediction_id: z.string(), event_id: z.string(), event_time: time, scored_at: time, score: z.number(), decision: z.enum(DECISIONS), model_version: z.string(), view_version: z.int(),
    trigger: z.string(), channel: z.string(), degraded: z.boolean(), live: z.boolean().describe('false: the customer’s partition is scored by another process now'),
    features: z.object(Object.fromEntries(featureNames(view).map((name) => [name, z.number().nullable()]))),
    history: z.array(past).nullable().optional().describe('null where ClickHouse did not give it'), history_unavailable: z.string().optional(),
    ...stalenessSchema, explanation: explanationSchema.optional(), recent: recentSchema.optional(),
  });
  return [{
    method: 'get', path: '/customers/:id', role: 'reader',
    doc: {
      summary: 'a customer’s latest features and score, and the scores before', tag: 'customers', path: { id: z.string().min(1).max(EVENT_BOUNDS.id_length_max).meta({ examples: ['C1'] }) }, query,
      answers: { 200: { what: 'the customer', content: { 'application/json': answer } } },
      problems: [400, 404, 422, 503],
    },
    handle(_res, req, finish) {
      const id = decoded(req.getParameter(0));
      const given = parameters.safeParse(Object.fromEntries(new URLSearchParams(req.getQuery() ?? '')));
      const found = id === undefined || id.length === 0 || id.length > EVENT_BOUNDS.id_length_max
        ? invalid([{ field: 'id', rule: `1 to ${EVENT_BOUNDS.id_length_max} characters, percent-encoded UTF-8` }])
        : !given.success ? invalid(fieldErrors(given.error, '')) : latest(id) ?? unknownCustomer(id);
      if (!Buffer.isBuffer(found)) return finish((res) => sendProblem(res, found));
      const prediction = read(found);
      const staleness = asOf === undefined ? undefined : stalenessOf(found, asOf, Date.now());
      const customer = { ...customerJson(view, prediction), live: serves(partitionOfPrediction(found)), ...staleness };
      const { history: rows, explain } = given.data!;
      if (explain === 'true' && explanations === undefined) return finish((res) => sendProblem(res, NOT_EXPLAINED));
      if (explain === 'false' && (history === undefined || rows === 0)) return finish((res) => sendJson(aged(res, staleness), customer));
      const [past, explained] = [
        history === undefined || rows === 0 ? {} : history.of(id!, rows).then(pastOf),
        explain === 'false' ? {} : explanations!.ofCustomer(id!, Float32Array.from(prediction.values), prediction.model_version),
      ];
      Promise.all([past, explained]).then((more) => finish((res) => sendJson(aged(res, staleness), Object.assign(customer, ...more))), (error: unknown) => finish((res) => sendProblem(res, explainProblem(error, log))));
    },
  }];
}

const pastOf = (answer: HistoryAnswer) => ('unavailable' in answer ? { history: null, history_unavailable: answer.unavailable } : { history: answer });

function decoded(text: string | undefined): string | undefined {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return undefined;
  }
}
