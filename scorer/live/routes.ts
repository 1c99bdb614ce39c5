import type { Guard, Route } from '../api/route.js';
import { PROJECT_VERSION } from '../../runtime/paths.js';
import { routeAsyncApi } from './asyncapi.js';
import type { Live } from './live.js';
import { routeStream } from './stream.js';

/** Live scores without WebSocket, and the document of both. */
export const routeLive = ({ live, guard }: { readonly live: Live; readonly guard?: Guard }): Route[] => [routeStream(live, guard), routeAsyncApi(PROJECT_VERSION)];
