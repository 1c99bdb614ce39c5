import type { HttpRequest } from 'uWebSockets.js';
import { isProblem, type Problem, type TaggedResponse } from './problem.js';
import { requestIds } from './request-id.js';
import type { Caller, Guard, GuardRequest, Route } from './route.js';

const idOf = requestIds();

/** Gives a request its id, which its answer carries, and what every answer carries. */
export function tag(res: TaggedResponse, req: HttpRequest, guard: Guard | undefined): void {
  res.requestId = idOf(req.getHeader('x-request-id'));
  res.moreHeaders = guard?.common;
}

/** What a guard that is not set says: everyone may, and nobody has a name. */
const EVERYONE: { readonly caller?: Caller } = {};

/** Asks the guard, before a handler or an upgrade. Headers that it gives go out with the answer. */
export function admit(guard: Guard | undefined, route: Pick<Route, 'method' | 'path' | 'role'>, res: TaggedResponse, req: HttpRequest): { readonly caller?: Caller } | Problem {
  if (guard === undefined) return EVERYONE;
  const asked = guard.admit(guardRequest(route, res, req));
  if (isProblem(asked)) return asked;
  if (asked.headers !== undefined) res.moreHeaders = asked.headers;
  return asked;
}

export const guardRequest = (route: GuardRequest['route'], res: TaggedResponse, req: HttpRequest): GuardRequest => ({
  route,
  header: (name) => req.getHeader(name),
  query: () => req.getQuery() ?? '',
  // A connection that was handed on through a socket of this machine has no address of its own, but says whose it is.
  address: () => Buffer.from(res.getRemoteAddressAsText()).toString() || Buffer.from(res.getProxiedRemoteAddressAsText()).toString(),
});
