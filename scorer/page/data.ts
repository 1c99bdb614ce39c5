import { bucketsOf, type Bucket } from '../../schemas/drift/buckets.js';
import type { PageQuery } from './queries.js';
import { createSection, type Section, type SectionReader } from './section.js';

type Row = Readonly<Record<string, unknown>>;

/** What ClickHouse knows, in pieces that come and go on their own: each is read once for all viewers. */
export interface PageData {
  overview(): Promise<Readonly<Record<string, Section<unknown>>>>;
  drift(): Promise<Section<DriftData>>;
  /** @param since event time from which on is looked for, epoch milliseconds */
  customer(id: string, since: number): Promise<Section<{ readonly events: readonly Row[]; readonly scores: readonly Row[] }>>;
}

export interface FeatureDrift extends Row {
  readonly feature: string;
  readonly against: string;
  readonly plot: readonly Bucket[];
}
export interface DriftData {
  readonly look: Row | null;
  readonly features: readonly FeatureDrift[];
}

export interface PageDataOptions {
  readonly query: PageQuery;
  readonly model: string;
  readonly horizonDays: number;
}

const KEEP_MS = { fast: 3000, slow: 10_000, customer: 2000 } as const;
/** The distributions are one deep statement over two windows: they are read once a look, and may take their time. */
const DEADLINE_MS = { fast: 5000, customer: 8000, distributions: 20_000 } as const;
/** The stream is shown at once; what ClickHouse has not answered by then comes with the next question. */
const WAIT_MS = 300;
const CUSTOMERS_MAX = 200;
const PLOT_BUCKETS = 24;
const HOUR_MS = 3_600_000;

export function createPageData({ query, model, horizonDays }: PageDataOptions): PageData {
  const section = (name: string, keep_ms: number, params: Row = { model }): SectionReader<Row[]> =>
    createSection({ name, keep_ms, deadline_ms: DEADLINE_MS.fast, wait_ms: WAIT_MS, load: (signal) => query(name, params, signal) });
  const parts = {
    versions: section('versions', KEEP_MS.fast),
    ledger: section('ledger', KEEP_MS.fast),
    retrains: section('retrains', KEEP_MS.fast),
    dead_letters: section('dead_letters', KEEP_MS.slow, {}),
    performance: section('performance', KEEP_MS.slow, { horizon_days: horizonDays }),
  };
  const drift = createSection({ name: 'drift', keep_ms: KEEP_MS.slow, deadline_ms: DEADLINE_MS.distributions, wait_ms: WAIT_MS, load: loadDrift });
  const customers = new Map<string, SectionReader<{ events: Row[]; scores: Row[] }>>();

  let shown: DriftData = { look: null, features: [] };
  async function loadDrift(signal: AbortSignal): Promise<DriftData> {
    const [look = null] = await query('look', { model }, signal);
    const same = (name: string): boolean => look?.[name] === shown.look?.[name];
    if (look === null || ['version', 'from', 'to', 'looked_at'].every(same)) return shown;
    const [from, to] = [look['from'] as number, look['to'] as number];
    const [figures, distributions] = await Promise.all([
      query('drift', { model }, signal),
      query('distributions', { model, model_version: look['version'], segments: [], from: seconds(from), to: seconds(to), previous_from: seconds(2 * from - to), previous_to: seconds(from) }, signal),
    ]);
    shown = { look, features: featuresOf(figures, distributions) };
    return shown;
  }

  return {
    async overview() {
      const entries = Object.entries(parts);
      const sections = await Promise.all(entries.map(([, part]) => part.read()));
      return Object.fromEntries(entries.map(([name], i) => [name, sections[i] as Section<unknown>]));
    },
    drift: () => drift.read(),
    customer(id, since) {
      let one = customers.get(id);
      if (one === undefined) {
        one = createSection({
          name: 'customer', keep_ms: KEEP_MS.customer, deadline_ms: DEADLINE_MS.customer,
          load: async (signal) => {
            const [events, scores] = await Promise.all([query('customer_events', { customer: id, since }, signal), query('customer_scores', { customer: id, since }, signal)]);
            return { events, scores };
          },
        });
      }
      // The one asked for last stands last: the first is the one to go.
      customers.delete(id);
      customers.set(id, one);
      if (customers.size > CUSTOMERS_MAX) customers.delete(customers.keys().next().value as string);
      return one.read();
    },
  };
}

/** As DateTime('UTC') reads a parameter; whole hours. */
const seconds = (ms: number): number => (Math.floor(ms / HOUR_MS) * HOUR_MS) / 1000;

/** One entry a feature: against the reference where there is one, else against the window before. */
function featuresOf(figures: readonly Row[], distributions: readonly Row[]): FeatureDrift[] {
  const key = ({ feature, against }: Row): string => `${String(feature)}\n${String(against)}`;
  const plots = new Map(distributions.map((row) => [key(row), bucketsOf(row['values'] as number[], row['reference'] as number[], row['window'] as number[], PLOT_BUCKETS)]));
  const chosen = new Map<string, FeatureDrift>();
  for (const row of figures) {
    const feature = row['feature'] as string;
    if (chosen.get(feature)?.against === 'reference') continue;
    chosen.set(feature, { ...row, feature, against: row['against'] as string, plot: plots.get(key(row)) ?? [] });
  }
  return [...chosen.values()];
}
