import { z } from 'zod';
import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';
import { customerJson, partitionOfPrediction, predictionReader } from '../store/prediction.js';
import { unknownCustomer } from './predict.js';
import { invalid, sendJson, sendProblem } from './problem.js';
import type { Route } from './route.js';
import type { ServerParts } from './server.js';

/** GET /customers/:id: the latest features and the score that was made from them. */
export function routeCustomers({ view, latest, serves }: Pick<ServerParts, 'view' | 'latest' | 'serves'>): Route[] {
  const read = predictionReader(view);
  return [{
    method: 'get', path: '/customers/:id', role: 'reader',
    doc: {
      summary: 'a customer’s latest features and score', tag: 'customers', path: { id: z.string().min(1).max(EVENT_BOUNDS.id_length_max) },
      answers: { 200: { what: 'the customer', content: { 'application/json': z.looseObject({ customer_id: z.string() }) } } },
      problems: [400, 404],
    },
    handle(_res, req, finish) {
      const id = decoded(req.getParameter(0));
      finish((res) => {
        if (id === undefined || id.length === 0 || id.length > EVENT_BOUNDS.id_length_max)
          return sendProblem(res, invalid([{ field: 'id', rule: `1 to ${EVENT_BOUNDS.id_length_max} characters, percent-encoded UTF-8` }]));
        const framed = latest(id);
        if (framed === undefined) return sendProblem(res, unknownCustomer(id));
        sendJson(res, { ...customerJson(view, read(framed)), live: serves(partitionOfPrediction(framed)) });
      });
    },
  }];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
