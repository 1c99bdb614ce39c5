import { routeBatch } from './batch.js';
import { routeInference } from '../inference/routes.js';
import { routeCustomers } from './customers.js';
import { routeLive } from '../live/routes.js';
import { routeDocsPage } from './docs-page.js';
import { routeModels } from './models.js';
import { routeObservability } from './observability.js';
import { routeOpenApi } from './openapi.js';
import { routePredict } from './predict.js';
import { routeRoot } from './root.js';
import type { Route } from './route.js';
import type { ServerParts } from './server.js';

/** Every route of the API, one family a line. */
export function apiRoutes(parts: ServerParts): Route[] {
  const routes = [
    ...routePredict(parts),
    ...routeBatch(parts),
    ...routeCustomers(parts),
    ...routeLive(parts),
    ...routeModels(parts),
    ...routeInference(parts),
    ...routeObservability(parts),
    ...parts.pageRoutes ?? [],
  ];
  const listed = [...routes, routeDocsPage()];
  const all = [...listed, routeRoot(listed, parts.page)];
  return [...all, routeOpenApi(all)];
}
