import type { ClickHouseClient } from '../../runtime/clickhouse.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** End of the window that the page shows, event time. */
const END = Date.UTC(2026, 0, 8);
const time = (ms: number): string => new Date(ms).toISOString();
const seconds = (ms: number): number => ms / 1000;

/** A day in the life of the loop, as the services write it: versions, ledger, a retraining, a look at drift, performance, a dead letter, a customer. @param scoreOf the customer's score by the one feature that is known of them */
export async function writePageRows(client: ClickHouseClient, customer: string, scoreOf: (events_7d: number) => number): Promise<void> {
  const insert = (table: string, values: Record<string, unknown>[]): Promise<unknown> => client.insert({ table, values, format: 'JSONEachRow' });
  const model = 'churn';
  const kafka = (kafka_offset: number) => ({ kafka_partition: 0, kafka_offset, kafka_time: time(END) });
  const now = Date.now();
  await insert('model_versions', ['m0', 'm1'].map((version, i) => ({
    model, version, stage: 'candidate', family: 'xgboost', view: 'customer_activity', view_version: 1, features: [], created_at: time(END - DAY_MS * (9 - i)), onnx_bytes: 1, onnx_sha256: '', chunk_count: 1,
    metrics: { log_loss: 0.41 - i / 100, auc: 0.81 }, parameters: {}, data_hash: '', data_from: time(END - 90 * DAY_MS), data_to: time(END - 10 * DAY_MS), data_rows: 12_345, ...kafka(i),
    profile_features: ['events_7d'], profile_segments: [''], profile_bins: [[0, 10_000, 10_032, 10_064]], profile_rows: [[40, 30, 20, 10]], profile_totals: [110], profile_squares: [270], profile_lows: [0], profile_highs: [4],
  })));
  const entry = (offset: number, version: string, action: string, share: number, champion: string, reason: string, retrain_event_id = '') =>
    ({ entry_id: `e${offset}`, at: time(now - (6 - offset) * 600_000), model, version, action, share, champion, decided_by: 'trainer', reason, evidence: '{}', retrain_event_id, ...kafka(offset) });
  await insert('model_ledger', [
    entry(0, 'm0', 'promoted', 0, 'm0', 'its first version serves'), entry(1, 'm1', 'registered', 0, '', 'better by 0.01 in log loss', 'asked-1'), entry(2, 'm1', 'canary', 0.25, '', 'held its limits in shadow'),
    entry(3, 'm1', 'promoted', 0, 'm1', 'held its limits at the last share'), entry(4, 'm2', 'rolled_back', 0, 'm1', 'population stability index beyond ROLLBACK_PSI_MAX'),
  ]);
  await insert('retrain_events', [{
    event_id: 'asked-1', decided_at: time(now - 3_600_000), reason: 'drift', decision: 'retrain', model, model_version: 'm0', window_from: time(END - 7 * DAY_MS), window_to: time(END),
    evidence: [{ feature: 'events_7d', segment: '', statistic: 'ks', value: 0.21, threshold: 0.12, p: 0.001, n: 900 }], explanation: 'events_7d moved for three windows in a row', expected_gain: 0.01, dedupe_key: 'd1', cooldown_until: time(END), requested_by: 'drift', ...kafka(0),
  }]);
  await insert('drift_looks', [{ model, model_version: 'm1', window_from: time(END - 7 * DAY_MS), window_to: time(END), mode: 'alarmed', tests: 20, beyond: 1, decision: 'retrain', explanation: 'events_7d', state: '{}', looked_at: time(now) }]);
  const figure = (day: number, statistic: string, value: number, verdict: string) => ({
    model, model_version: 'm1', window_from: seconds(END - (7 + day) * DAY_MS), window_to: seconds(END - day * DAY_MS), against: 'reference', segment: '', feature: 'events_7d', statistic, value, baseline: 0, threshold: 0.12, p: 0.001, degrees: 9, n: 900, n_reference: 100, verdict, reported_at: time(now),
  });
  await insert('drift_reports', [0, 1, 2].flatMap((day) => [figure(day, 'psi', 0.31 - day / 10, 'reported'), figure(day, 'ks', 0.21, day === 0 ? 'beyond' : 'quiet'), figure(day, 'missing_rate', 0, 'quiet')]));
  await insert('performance_reports', Array.from({ length: 12 }, (_, i) => i).flatMap((i) => ['log_loss', 'auc'].flatMap((metric) => (i < 8 ? ['realised', 'estimated'] : ['estimated']).map((kind) => ({
    kind, horizon_days: 30, window_from: time(END - (60 - i) * DAY_MS), window_to: time(END - (59 - i) * DAY_MS), model_version: 'm1', segment: '', metric, value: (metric === 'auc' ? 0.8 : 0.4) + i / 200, low: kind === 'estimated' ? 0.35 : null, high: kind === 'estimated' ? 0.86 : null,
    n: 500, positives: 120, calibrated_on: 100, landed: 500, computed_at: time(now),
  })))));
  await insert('dead_letters', [{ reason: 'no_json', error: 'the value is no JSON', source_topic: 'customer-events', source_partition: 0, source_offset: 1, source_time: time(now), failed_at: time(now - 60_000), record_key: 'x', record_value: 'y', headers: {}, ...kafka(0) }]);
  const at = (i: number): number => END - (4 - i) * HOUR_MS * 9;
  await insert('events', ['login', 'page_view', 'purchase', 'support_ticket'].map((event_type, i) => ({ event_id: `${customer}-${i}`, customer_id: customer, event_type, amount: event_type === 'purchase' ? 42.5 : null, quantity: null, channel: 'web', event_time: time(at(i)), properties: {}, ...kafka(i) })));
  const prediction = (i: number, more: Record<string, unknown>) =>
    ({ prediction_id: `9-${i}`, customer_id: `K${i}`, event_id: `p-${i}`, event_time: time(END - (40 - i) * HOUR_MS), scored_at: time(END), score: 0.2 + i / 80, decision: 'keep', model_version: 'm1', view_version: 1, trigger: 'event', degraded: false, produced_at: time(END), features_at: time(END), events_7d: i % 5, ...kafka(i), ...more });
  // Four by the events, two by silence after them.
  const own = [0, 1, 2, 3, 4, 0].map((events_7d, i) => prediction(i, { customer_id: customer, events_7d, score: scoreOf(events_7d), ...(i < 4 ? { event_id: `${customer}-${i}`, event_time: time(at(i)) } : { trigger: 'sweep', event_time: time(END - (6 - i) * HOUR_MS) }) }));
  await insert('predictions', [...own, ...Array.from({ length: 34 }, (_, i) => prediction(i + 6, {}))]);
}
