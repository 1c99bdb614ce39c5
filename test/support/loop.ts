import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClickHouse } from '../../runtime/clickhouse.js';
import { loadSettings, type Settings } from '../../runtime/settings.js';
import type { SimulationParameters } from '../../stream-processors/sources/core/simulation-parameters.js';
import type { UpProcess } from './up-process.js';

const DAY_MS = 86_400_000;

/**
 * A shop whose weeks go by in seconds: a week's horizon, a look a week, trials of days. A change is taken for one after three weeks,
 * so that a week of it, matured, is in what the successor learns from.
 */
export const LOOP_ENV: Readonly<Record<string, string>> = {
  KAFKA_PARTITIONS: '2', LABEL_HORIZON_DAYS: '7', PERFORMANCE_WINDOW_H: '336', TRAIN_HOLDOUT_DAYS: '7', TRAIN_FAMILIES: 'xgboost', TRAIN_SEARCH_TRIALS: '2',
  DRIFT_STEP_H: '168', DRIFT_PERSISTENCE: '3', DRIFT_SEGMENTS: 'channel=', DRIFT_POLL_MS: '1000', DRIFT_MULTIVARIATE_ROWS: '1000', LANDING_FLUSH_MS: '1500', COMMIT_INTERVAL_MS: '500',
  ROLLOUT_MODE: 'canary', ROLLOUT_CLOCK: 'event', ROLLOUT_CHECK_S: '1', CANARY_STEPS: '0.3', ROLLOUT_STEP_S: String(3 * 86_400), ROLLOUT_STEP_ROWS: '500', PROBATION_S: String(21 * 86_400),
  // every customer that the trial compares, however slow the machine; no sweep, whose passes follow the machine's clock
  SHADOW_TIME_SHARE: '1', ROLLBACK_LATENCY_US_MAX: '1000000', SWEEP_INTERVAL_S: '0',
};

export interface LedgerRow {
  readonly entry_id: string;
  readonly action: string;
  readonly version: string;
  readonly champion: string;
  readonly decided_by: string;
  readonly reason: string;
  readonly retrain_event_id: string;
  readonly kafka_offset: number;
}

export interface RetrainRow {
  readonly event_id: string;
  readonly reason: string;
  readonly decision: string;
  readonly window_to: number;
  readonly explanation: string;
  readonly dedupe_key: string;
}

/** A row that both models scored, and what became of the customer. */
export interface PairRow {
  readonly customer_id: string;
  readonly champion_score: number;
  readonly challenger_score: number;
  readonly churned: number;
}

/** Looks at a running system as an analyst would: SQL in its ClickHouse. */
export function openLoop(up: UpProcess, dataDir: string) {
  const settings: Settings = loadSettings({ ...LOOP_ENV, ...up.endpoints(), DATA_DIR: dataDir });
  const client = createClickHouse(settings);
  const rows = async <Row>(query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> =>
    (await client.query({ query, query_params, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<Row>();
  const { source } = JSON.parse(readFileSync(join(dataDir, 'sources', 'simulation.json'), 'utf8')) as { source: { parameters: SimulationParameters; history_days: number } };
  const liveMs = source.parameters.start_ms + source.history_days * DAY_MS;
  return {
    settings, rows, liveMs,
    shiftMs: source.parameters.regime!.at_ms,
    fault: source.parameters.fault!,
    /** Day of the live part. */
    day: (ms: number): number => Number(((ms - liveMs) / DAY_MS).toFixed(1)),
    /** End of the last window that drift has looked at, epoch ms; 0 before the first. */
    lookedTo: async (): Promise<number> => (await rows<{ at: number }>(`SELECT toUnixTimestamp64Milli(max(window_to)) AS at FROM drift_looks`))[0]!.at,
    /** Days between what has landed and what drift has looked at; the first look comes a window after the beginning. */
    aheadDays: async (): Promise<number> => (await rows<{ days: number }>(
      `SELECT (toUnixTimestamp((SELECT max(hour) FROM prediction_hours)) - greatest((SELECT toUnixTimestamp(max(window_to)) FROM drift_looks), {from:UInt32})) / 86400 AS days`, { from: liveMs / 1000 + 7 * 86_400 }))[0]!.days,
    /** Days between what has landed and the window that the oldest unanswered event asked a retraining for; 0 where none waits. */
    unansweredDays: async (): Promise<number> => (await rows<{ days: number }>(
      `SELECT if(count() = 0, 0, (toUnixTimestamp((SELECT max(hour) FROM prediction_hours)) - toUnixTimestamp(min(window_to))) / 86400) AS days
       FROM retrain_events WHERE decision = 'retrain' AND event_id NOT IN (SELECT retrain_event_id FROM model_ledger)`))[0]!.days,
    ledger: (): Promise<LedgerRow[]> => rows(`SELECT entry_id, action, version, champion, decided_by, reason, retrain_event_id, kafka_offset FROM model_ledger ORDER BY kafka_offset`),
    retrainEvents: (): Promise<RetrainRow[]> => rows(`SELECT event_id, reason, decision, toUnixTimestamp64Milli(window_to) AS window_to, explanation, dedupe_key FROM retrain_events ORDER BY kafka_offset`),
    champion: async (): Promise<string | undefined> => (await rows<{ champion: string }>('SELECT champion FROM deployments'))[0]?.champion,
    /** Rows scored by both while `challenger` stood beside `champion`, whose horizon is over by what has landed. */
    maturedPairs: (champion: string, challenger: string): Promise<PairRow[]> => rows(`
      WITH (SELECT watermark FROM label_watermark) AS watermark
      SELECT customer_id, champion_score, challenger_score, toUInt8(NOT (bought_at > at AND bought_at <= at + toIntervalDay({days:UInt16}))) AS churned
      FROM (SELECT customer_id, event_time AS at, champion_score, challenger_score FROM shadow_predictions
            WHERE champion_version = {champion:String} AND challenger_version = {challenger:String} AND event_time < watermark - toIntervalDay({days:UInt16}) - toIntervalHour({lateness:UInt32})) AS pairs
      ASOF LEFT JOIN (SELECT customer_id, event_time AS bought_at FROM events WHERE event_type = 'purchase') AS purchases ON pairs.customer_id = purchases.customer_id AND pairs.at < purchases.bought_at`,
      { champion, challenger, days: settings.LABEL_HORIZON_DAYS, lateness: settings.LABEL_LATENESS_H }),
    /** The last of what was looked at, found and decided. */
    story: async (): Promise<Record<string, unknown[]>> => Object.fromEntries(await Promise.all(([
      ['looks', 'SELECT window_to, mode, decision, explanation FROM drift_looks FINAL ORDER BY window_to DESC LIMIT 8'],
      ['alerts', 'SELECT window_from, window_to, cause, channel, explanation FROM drift_alerts FINAL ORDER BY raised_at DESC LIMIT 4'],
      ['events', 'SELECT window_to, reason, decision, explanation FROM retrain_events ORDER BY kafka_offset DESC LIMIT 4'],
      ['ledger', 'SELECT at, action, version, reason FROM model_ledger ORDER BY kafka_offset DESC LIMIT 4'],
    ] as const).map(async ([name, query]) => [name, await rows(query)]))),
    close: () => client.close(),
  };
}

export interface LossComparison {
  readonly rows: number;
  readonly customers: number;
  readonly champion: number;
  readonly challenger: number;
  /** Challenger's loss less the champion's, in standard errors over customers. */
  readonly z: number;
}

/** Log loss of both on the same rows; customers are what is drawn, not rows. */
export function compareLoss(pairs: readonly PairRow[]): LossComparison {
  const loss = (score: number, churned: number): number => -Math.log(Math.max(1e-9, churned === 1 ? score : 1 - score));
  const differences = new Map<string, number>();
  let [champion, challenger] = [0, 0];
  for (const row of pairs) {
    const [a, b] = [loss(row.champion_score, row.churned), loss(row.challenger_score, row.churned)];
    champion += a / pairs.length;
    challenger += b / pairs.length;
    differences.set(row.customer_id, (differences.get(row.customer_id) ?? 0) + b - a);
  }
  const mean = challenger - champion;
  // Linearised ratio: a customer's deviation is the sum over its rows less what the mean leads to expect of so many.
  const counts = new Map<string, number>();
  for (const { customer_id } of pairs) counts.set(customer_id, (counts.get(customer_id) ?? 0) + 1);
  const squares = [...differences].reduce((sum, [id, difference]) => sum + (difference - mean * counts.get(id)!) ** 2, 0);
  return { rows: pairs.length, customers: differences.size, champion, challenger, z: (mean * pairs.length) / Math.sqrt(squares) };
}
