import type { HttpRequest } from 'uWebSockets.js';
import { isProblem, type Problem, type TaggedResponse } from './problem.js';
import { requestIds } from './request-id.js';
import type { Caller, Guard, Route } from './route.js';

const idOf = requestIds();

/** Gives a request its id, which its answer carries. */
export function tag(res: TaggedResponse, req: HttpRequest): void {
  res.requestId = idOf(req.getHeader('x-request-id'));
}

/** What a guard that is not set says: everyone may, and nobody has a name. */
const EVERYONE: { readonly caller?: Caller } = {};

/** Asks the guard, before a handler or an upgrade. Headers that it gives go out with the answer. */
export function admit(guard: Guard | undefined, route: Pick<Route, 'method' | 'path' | 'role'>, res: TaggedResponse, req: HttpRequest): { readonly caller?: Caller } | Problem {
  if (guard === undefined) return EVERYONE;
  const asked = guard.admit({
    route,
    header: (name) => req.getHeader(name),
    query: () => req.getQuery() ?? '',
    address: () => Buffer.from(res.getRemoteAddressAsText()).toString(),
  });
  if (isProblem(asked)) return asked;
  res.moreHeaders = asked.headers;
  return asked;
}
