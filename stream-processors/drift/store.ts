import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { DriftWindow, Measurement } from '../../schemas/drift/measurement.js';
import type { Judged, PastLook } from './core/judge.js';
import { testKey } from './core/judge.js';
import type { LookResult } from './core/look.js';
import type { PerformanceLookInput, PerformanceLookResult } from './core/performance/look.js';
import { JUDGED } from './core/scale.js';
import type { Quarantine } from './core/triage/quarantine.js';
import type { Watch } from './core/watch.js';

/** The service's own tables. Every row has a key that follows from what it says: written twice it is there once (read with FINAL). */
export interface DriftStore {
  lastLook(model: string): Promise<{ modelVersion: string; window: DriftWindow; watch: Watch } | undefined>;
  /** Measurements of looks at windows of that length that ended after `since`, oldest first; only what verdicts rest on. */
  pastLooks(model: string, modelVersion: string, since: number, windowMs: number): Promise<PastLook[]>;
  quarantines(model: string): Promise<Quarantine[]>;
  /** Whether a retraining was asked for that has no answer in the ledger, or the version that came of one is on trial. */
  underWay(model: string): Promise<boolean>;
  /** What a look found, before its decisions are written. */
  writeFindings(about: LookAbout, measurements: readonly Measurement[], found: Pick<LookResult, 'judged' | 'quarantines' | 'alerts'>): Promise<void>;
  /** That the look is done; the last step. */
  writeLook(about: LookAbout, result: LookResult): Promise<void>;
  lastPerformanceLook(model: string, modelVersion: string): Promise<{ readonly to: number; readonly watch: Watch } | undefined>;
  /** What a look at performance found, and that it is done. */
  writePerformanceLook(look: Pick<PerformanceLookInput, 'model' | 'modelVersion' | 'window' | 'figures'>, result: PerformanceLookResult): Promise<void>;
}

export interface LookAbout {
  readonly model: string;
  readonly modelVersion: string;
  readonly window: DriftWindow;
}

const time = (ms: number): string => new Date(ms).toISOString();

export function createDriftStore(client: ClickHouseClient, now: () => number = Date.now): DriftStore {
  async function rows<Row>(query: string, query_params: Record<string, unknown>): Promise<Row[]> {
    return (await client.query({ query, query_params, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<Row>();
  }
  const insert = async (table: string, values: unknown[]): Promise<void> => {
    if (values.length > 0) await client.insert({ table, values, format: 'JSONEachRow' });
  };
  return {
    async lastLook(model) {
      const [row] = await rows<{ model_version: string; from: number; to: number; state: string }>(
        `SELECT model_version, toUnixTimestamp64Milli(window_from) AS from, toUnixTimestamp64Milli(window_to) AS to, state
         FROM drift_looks FINAL WHERE model = {model:String} ORDER BY window_to DESC LIMIT 1`, { model });
      return row === undefined ? undefined : { modelVersion: row.model_version, window: { from: row.from, to: row.to }, watch: JSON.parse(row.state) as Watch };
    },
    async pastLooks(model, modelVersion, since, windowMs) {
      const found = await rows<Measurement & { from: number; to: number }>(
        `SELECT toUnixTimestamp(window_from) * 1000 AS from, toUnixTimestamp(window_to) * 1000 AS to, feature, segment, against, statistic, value, baseline, p, degrees, n, n_reference
         FROM drift_reports FINAL
         WHERE model = {model:String} AND model_version = {version:String} AND window_to > toDateTime({since:UInt32}, 'UTC') AND statistic IN {judged:Array(String)} AND verdict != '' AND window_to - window_from = {length:UInt32}
         ORDER BY window_to, window_from`,
        { model, version: modelVersion, since: Math.max(0, Math.floor(since / 1000)), judged: Object.keys(JUDGED), length: windowMs / 1000 });
      const looks = new Map<number, { from: number; to: number; measurements: Measurement[] }>();
      for (const { from, to, ...measurement } of found) {
        const look = looks.get(to);
        if (look === undefined) looks.set(to, { from, to, measurements: [measurement] });
        else look.measurements.push(measurement);
      }
      return [...looks.values()];
    },
    quarantines: (model) => rows<Quarantine>(
      `SELECT quarantine_id AS id, cause, channel, toUnixTimestamp64Milli(window_from) AS from, toUnixTimestamp64Milli(window_to) AS to
       FROM quarantined_windows FINAL WHERE model = {model:String} ORDER BY from, id`, { model }),
    async underWay(model) {
      const waiting = await rows<{ n: number }>(
        `SELECT count() AS n FROM retrain_events WHERE model = {model:String} AND decision = 'retrain'
           AND event_id NOT IN (SELECT retrain_event_id FROM model_ledger WHERE model = {model:String})
         UNION ALL SELECT countIf(challenger != '') FROM deployments WHERE model = {model:String}`, { model });
      return waiting.some(({ n }) => n > 0);
    },
    async writeFindings({ model, modelVersion, window }, measurements, { judged, quarantines, alerts }) {
      const at = time(now());
      const verdicts = new Map<string, Judged>(judged.map((one) => [one.key, one]));
      await insert('drift_reports', measurements.map((measurement) => {
        const verdict = verdicts.get(testKey(measurement));
        return {
          ...measurement, model, model_version: modelVersion, window_from: time(window.from), window_to: time(window.to), reported_at: at,
          threshold: verdict === undefined || Number.isNaN(verdict.threshold) ? null : verdict.threshold,
          p: verdict?.p ?? measurement.p,
          verdict: verdict?.verdict ?? 'reported',
        };
      }));
      await insert('drift_alerts', alerts.map((alert) => ({
        alert_id: alert.id, model, model_version: modelVersion, cause: alert.cause, channel: alert.channel, window_from: time(alert.window.from), window_to: time(alert.window.to),
        explanation: alert.explanation, evidence: alert.evidence, raised_at: at, updated_at: at,
      })));
      await insert('quarantined_windows', quarantines.map((span) => ({
        quarantine_id: span.id, model, window_from: time(span.from), window_to: time(span.to), channel: span.channel, cause: span.cause, created_at: at, updated_at: at,
      })));
    },
    async writeLook({ model, modelVersion, window }, { mode, judged, decision, explanation, watch }) {
      await insert('drift_looks', [{
        model, model_version: modelVersion, window_from: time(window.from), window_to: time(window.to), mode,
        tests: judged.length, beyond: judged.filter(({ verdict }) => verdict === 'beyond').length, decision, explanation,
        state: JSON.stringify(watch), looked_at: time(now()),
      }]);
    },
    async lastPerformanceLook(model, modelVersion) {
      const [row] = await rows<{ to: number; state: string }>(
        'SELECT toUnixTimestamp64Milli(window_to) AS to, state FROM performance_looks FINAL WHERE model = {model:String} AND model_version = {version:String} ORDER BY window_to DESC LIMIT 1',
        { model, version: modelVersion });
      return row === undefined ? undefined : { to: row.to, watch: JSON.parse(row.state) as Watch };
    },
    async writePerformanceLook({ model, modelVersion, window, figures }, { judged, mode, decision, explanation, watch }) {
      const about = { model, model_version: modelVersion, window_from: time(window.from), window_to: time(window.to) };
      const expected = (against: string): number | null => judged.find((one) => one.against === against)?.expected ?? null;
      const [latest, former] = [0, -1].map((piece) => figures.sums.find((one) => one.piece === piece));
      await insert('drift_reports', judged.map(({ feature, segment, against, statistic, value, threshold, p, n, verdict, expected: baseline }) => ({
        ...about, feature, segment, against, statistic, value, baseline, threshold: Number.isNaN(threshold) ? null : threshold, p, degrees: 0, n, verdict, reported_at: time(now()),
        n_reference: against === 'reference' ? Math.round(figures.promised!.rows) : former!.n,
      })));
      await insert('performance_looks', [{
        ...about, metric: figures.loss, value: latest === undefined ? 'nan' : latest.s / latest.n, promised: expected('reference'), former: expected('previous'),
        customers: latest?.customers ?? 0, n: latest?.n ?? 0, mode, decision, explanation, state: JSON.stringify(watch), looked_at: time(now()),
      }]);
    },
  };
}
