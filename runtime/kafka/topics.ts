import type { Admin, ConfigResourceTypes, Kafka } from 'kafkajs';
import type { TopicSpec } from '../../schemas/topics.js';
import { TidemarkError } from '../errors.js';
import { brokerFailure } from './client.js';
import { onceLed } from './leaders.js';
import type { Settings } from '../settings.js';

export interface TopicState {
  readonly name: string;
  readonly partitions: number;
  readonly created: boolean;
  /** What differs from what the system would have made and costs something, in words; nothing that stops it. */
  readonly warnings: readonly string[];
}

/**
 * Creates the topics that are missing and holds the existing ones against what the system needs of them.
 * @throws TidemarkError BROKER_UNREACHABLE; TOPIC_MISMATCH where an existing topic would break a promise: other partition counts among topics
 *   that are read together, or compaction on a topic that is not to be compacted
 */
export async function ensureTopics(kafka: Kafka, settings: Settings, specs: readonly TopicSpec[]): Promise<TopicState[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const existing = new Set(await admin.listTopics());
    const missing = specs.filter((spec) => !existing.has(spec.name));
    const counts = await partitionCounts(admin, specs.filter((spec) => existing.has(spec.name)));
    const partitions = firstCount(specs, counts) ?? settings.KAFKA_PARTITIONS;
    if (missing.length > 0)
      await createTopics(admin, missing.map((spec) => ({
        topic: spec.name,
        numPartitions: spec.partitioned ? partitions : 1,
        replicationFactor: settings.KAFKA_REPLICATION_FACTOR,
        configEntries: Object.entries(spec.config).map(([name, value]) => ({ name, value })),
      })));
    const after = await partitionCounts(admin, specs);
    checkCounts(specs, after);
    const warnings = await checkConfigs(admin, specs.filter((spec) => existing.has(spec.name)));
    return specs.map((spec) => ({ name: spec.name, partitions: after.get(spec.name)!, created: !existing.has(spec.name), warnings: warnings.get(spec.name) ?? [] }));
  } catch (error) {
    throw brokerFailure(settings, 'topics', error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

type NewTopics = Parameters<Admin['createTopics']>[0]['topics'];
/** Creates topics and waits for their leaders. kafkajs's own waiting gives up where a broker under load does not know of them yet. */
export async function createTopics(admin: Admin, topics: NewTopics): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics });
  const names = topics.map(({ topic }) => topic);
  await onceLed(() => admin.fetchTopicMetadata({ topics: names }), ['UNKNOWN_TOPIC_OR_PARTITION']);
  for (const name of names) await onceLed(() => admin.fetchTopicOffsets(name));
}

async function partitionCounts(admin: Admin, specs: readonly TopicSpec[]): Promise<Map<string, number>> {
  if (specs.length === 0) return new Map();
  const { topics } = await admin.fetchTopicMetadata({ topics: specs.map((spec) => spec.name) });
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
}

/** Topics that are read together have the count of those that are there already. */
function firstCount(specs: readonly TopicSpec[], counts: ReadonlyMap<string, number>): number | undefined {
  for (const spec of specs) if (spec.partitioned && counts.has(spec.name)) return counts.get(spec.name);
  return undefined;
}

function checkCounts(specs: readonly TopicSpec[], counts: ReadonlyMap<string, number>): void {
  const [first, ...others] = specs.filter((spec) => spec.partitioned);
  if (first === undefined) return;
  const expected = counts.get(first.name)!;
  for (const spec of others)
    if (counts.get(spec.name) !== expected)
      throw new TidemarkError('TOPIC_MISMATCH',
        `topic ${spec.name} has ${counts.get(spec.name)} partitions, ${first.name} has ${expected}: a customer must stand on the same partition of both; ` +
        `give ${spec.name} ${expected} partitions (it can only grow) or delete it so that it is made anew`);
}

async function checkConfigs(admin: Admin, specs: readonly TopicSpec[]): Promise<Map<string, string[]>> {
  const warnings = new Map<string, string[]>();
  if (specs.length === 0) return warnings;
  const TOPIC = 2 as ConfigResourceTypes;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: specs.map((spec) => ({ type: TOPIC, name: spec.name, configNames: ['cleanup.policy', 'message.timestamp.type'] })),
  });
  for (const spec of specs) {
    const entries = resources.find(({ resourceName }) => resourceName === spec.name)?.configEntries ?? [];
    const valueOf = (name: string): string | undefined => entries.find(({ configName }) => configName === name)?.configValue;
    const fix = (name: string, value: string): string => `kafka-configs --alter --topic ${spec.name} --add-config ${name}=${value}`;
    const policy = valueOf('cleanup.policy');
    const expected = spec.config['cleanup.policy']!;
    if (policy !== undefined && policy !== expected)
      throw new TidemarkError('TOPIC_MISMATCH', `topic ${spec.name} has cleanup.policy=${policy}, expected ${expected}: ${fix('cleanup.policy', expected)}`);
    const stamped = valueOf('message.timestamp.type');
    const stamp = spec.config['message.timestamp.type'];
    if (stamp !== undefined && stamped !== undefined && stamped !== stamp)
      warnings.set(spec.name, [
        `topic ${spec.name} has message.timestamp.type=${stamped}, expected ${stamp}: producers’ clocks then decide how far ahead event_time may be, and latencies count from them; ` +
        fix('message.timestamp.type', stamp),
      ]);
  }
  return warnings;
}
