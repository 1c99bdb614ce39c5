import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';
import { customerJson, partitionOfPrediction, predictionReader } from '../store/prediction.js';
import { unknownCustomer } from './predict.js';
import { invalid, sendJson, sendProblem } from './problem.js';
import type { Route, ServerParts } from './server.js';

/** GET /customers/:id: the latest features and the score that was made from them. */
export function routeCustomers({ view, latest, serves }: Pick<ServerParts, 'view' | 'latest' | 'serves'>): Route[] {
  const read = predictionReader(view);
  return [{
    method: 'get', path: '/customers/:id', summary: 'a customer’s latest features and score',
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
