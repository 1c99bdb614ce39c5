import { routeCustomers } from './customers.js';
import { routeLive } from '../live/routes.js';
import { routeObservability } from './observability.js';
import { routePredict } from './predict.js';
import { routeRoot } from './root.js';
import type { Route } from './route.js';
import type { ServerParts } from './server.js';

/** Every route of the API, one family a line. */
export function apiRoutes(parts: ServerParts): Route[] {
  const routes: Route[] = [
    ...routePredict(parts),
    ...routeCustomers(parts),
    ...routeLive(parts),
    ...routeObservability(parts),
    ...parts.pageRoutes ?? [],
  ];
  return [...routes, routeRoot(routes, parts.page)];
}
