import { createClickHouse } from '../../runtime/clickhouse.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { Page } from '../api/root.js';
import type { Route } from '../api/route.js';
import type { ModelHolder } from '../model/swap.js';
import type { ScorerHealth } from '../observe/health.js';
import type { OnlineStore } from '../store/online-store.js';
import { predictionReader } from '../store/prediction.js';
import type { Scored } from '../stream/score-records.js';
import { createPageData } from './data.js';
import { createPageQuery, type QueryCounts } from './queries.js';
import { pageRoutes, type RequestRetraining } from './routes.js';
import { createStreamWatch } from './watch.js';

export interface LivePage {
  readonly root: Page;
  readonly routes: readonly Route[];
  /** Committed rows, before the online store takes them. */
  seen(committed: readonly Scored[]): void;
  /** Questions to ClickHouse. */
  readonly counts: QueryCounts;
  close(): Promise<void>;
}

export interface LivePageOptions {
  readonly settings: Settings;
  readonly view: FeatureView;
  readonly log: Log;
  readonly store: Pick<OnlineStore, 'get' | 'idsFrom'>;
  readonly holder: Pick<ModelHolder, 'current'>;
  health(): ScorerHealth;
  readonly requestRetraining?: RequestRetraining | undefined;
}

/** Connections to ClickHouse that the page takes at most: what it asks is few and short. */
const CONNECTIONS_MAX = 4;
/** As far back as the view's longest window looks from the latest score. */
const HISTORY_MS = 90 * 86_400_000;
const REQUEST_TIMEOUT_MS = 25_000;

/** The live page: its files, its data, and what it counts on the stream. */
export function createLivePage({ settings, view, log, store, holder, health, requestRetraining }: LivePageOptions): LivePage {
  const client = createClickHouse(settings, { maxOpenConnections: CONNECTIONS_MAX, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  const watch = createStreamWatch({ view, threshold: settings.DECISION_THRESHOLD, clock: Date.now, before: (id) => store.get(id), model: () => holder.current() });
  const read = predictionReader(view);
  const { query, counts } = createPageQuery(client, settings);
  const data = createPageData({ query, model: settings.MODEL_NAME, horizonDays: settings.LABEL_HORIZON_DAYS });
  const about = { model: settings.MODEL_NAME, threshold: settings.DECISION_THRESHOLD, horizon_days: settings.LABEL_HORIZON_DAYS, features: view.features.map(({ name, description }) => ({ name, description })) };
  const { root, routes } = pageRoutes({
    data, log,
    since(id) {
      const latest = store.get(id);
      return latest === undefined ? 0 : Math.max(0, read(latest).event_time - HISTORY_MS);
    },
    customers: (prefix, most) => store.idsFrom(prefix, most),
    stream: () => ({ about, health: health(), pulse: watch.pulse(), risers: watch.risers() }),
    ...(requestRetraining === undefined ? {} : { requestRetraining }),
  });
  return { root, routes, counts, seen: watch.seen, close: () => client.close() };
}

export type { RequestRetraining } from './routes.js';
