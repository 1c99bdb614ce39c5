import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '../../runtime/kafka/client.js';
import { openPartitionReader } from '../../runtime/kafka/cluster.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { type Prediction, predictionReader } from '../../scorer/store/prediction.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { TOPICS } from '../../schemas/topics.js';

const LOOK_MS = 250;
/** However many scores come, the console gets a line a second. */
const LINE_INTERVAL_MS = 1_000;
/** Of a burst only the last records are read: a line shows one score, the rest are counted by their offsets. */
const TAIL_RECORDS = 16;
const TAIL_BYTES = 64 * 1024;

/** What tells most of a customer at a glance; features that the view does not have are left out. */
const FACTS = ['days_since_last_purchase', 'purchases_90d', 'spend_90d', 'active_days_30d'];

/** Tells of predictions as they are committed: at most one line a second, the latest score and how many came with it. */
export async function followScores(settings: Settings, log: Log, onLine: (line: string) => void): Promise<{ stop(): Promise<void> }> {
  const topic = TOPICS.predictions.name;
  const kafka = createKafka(settings, log);
  const reader = await openPartitionReader(kafka, TAIL_BYTES);
  const read = predictionReader(view);
  const positions = (await offsetRanges(kafka, topic)).map((range) => range.high);
  let stopped = false;
  let waiting = 0;
  let shownAt = 0;

  const look = async (): Promise<void> => {
    let latest: Prediction | undefined;
    for (const [partition, { high }] of (await offsetRanges(kafka, topic)).entries()) {
      const from = Math.max(positions[partition] ?? high, high - TAIL_RECORDS);
      if (high <= from) continue;
      const batch = await reader.fetch(topic, partition, from, 0);
      const record = batch.records.at(-1);
      if (record?.value == null) continue;
      waiting += record.offset + 1 - (positions[partition] ?? 0);
      positions[partition] = record.offset + 1;
      const prediction = read(record.value);
      if (latest === undefined || prediction.scored_at > latest.scored_at) latest = prediction;
    }
    if (latest === undefined) return;
    onLine(scoreLine(latest, waiting));
    waiting = 0;
    shownAt = Date.now();
  };

  const following = (async () => {
    while (!stopped) {
      await sleep(shownAt === 0 ? LOOK_MS : Math.max(LOOK_MS, shownAt + LINE_INTERVAL_MS - Date.now()));
      if (!stopped) await look().catch((error: unknown) => { log.debug('scores_not_read', { message: messageOf(error) }); });
    }
  })();
  return {
    async stop() {
      stopped = true;
      await following;
      await reader.close();
    },
  };
}

/** One line for people; `offsets` counts the records since the last line, markers of transactions included, so it is shown roughly. */
export function scoreLine(prediction: Prediction, offsets: number): string {
  const time = new Date(prediction.scored_at).toISOString().slice(11, 19);
  const names = featureNames(view);
  const facts = FACTS.flatMap((name) => {
    const value = prediction.values[names.indexOf(name)];
    return value === undefined || !Number.isFinite(value) ? [] : [`${name} ${Number(value.toFixed(2))}`];
  });
  const more = offsets > 2 ? `  (+${offsets - 1})` : '';
  return `${time}  ${prediction.score.toFixed(3)}  ${prediction.decision.padEnd(8)}  ${prediction.customer_id}  ${facts.join('  ')}${more}`;
}
