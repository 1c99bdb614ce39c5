import { createClickHouse, onClickHouse } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import type { Candidate } from '../candidate.js';
import { sql } from './queries.js';

/**
 * The channel of each held-out row: that of the event it stands on, empty for moments between events.
 * @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export async function readChannels(settings: Settings, { dataset: { plan, sampling }, holdout: { rows, customer_ids } }: Pick<Candidate, 'dataset' | 'holdout'>): Promise<string[]> {
  const client = createClickHouse(settings, { requestTimeoutMs: 600_000 });
  try {
    const found = new Map<string, string>();
    const parameters = { holdout_after: plan.holdout.after, holdout_to: plan.holdout.to, buckets: sampling.buckets, events_ppm: sampling.events_ppm, shards: sampling.shards };
    await onClickHouse(settings, 'training: channels', async () => {
      for (let shard = 0; shard < sampling.shards; shard++) {
        const answer = await client.query({ query: sql('holdout_channels'), query_params: { ...parameters, shard }, format: 'JSONCompactEachRow' });
        for (const [customer_id, at, channel] of await answer.json<[string, string | number, string]>()) found.set(`${customer_id} ${at}`, channel);
      }
    });
    return Array.from({ length: rows.rows }, (_, row) => (rows.on_event[row] === 1 ? found.get(`${customer_ids[rows.customer[row]!]} ${rows.at[row]}`) ?? '' : ''));
  } finally {
    await client.close();
  }
}
