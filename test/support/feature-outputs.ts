import { createKafka } from '../../runtime/kafka/client.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import { DEAD_LETTER_HEADERS } from '../../schemas/events/dead-letter.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames, featuresAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { testLog } from './cluster.js';
import { difference } from './features.js';
import { Oracle, type OracleEvent } from './oracle.js';

export type FeatureOutput = Record<string, number | string>;

/** What the feature processor wrote, read committed. */
export function featureOutputs(settings: Settings): { features(): Promise<FeatureOutput[]>; deadLetterReasons(): Promise<string[]> } {
  const kafka = createKafka(settings, testLog);
  const decoder = new AvroTypes(createRegistry(settings, testLog), subjectOf(TOPICS.features.name)).decoder<FeatureOutput>(featuresAvro(view));
  return {
    async features() {
      const all: FeatureOutput[] = [];
      await readTopic(kafka, TOPICS.features.name, async (_partition, records) => { for (const { value } of records) all.push(await decoder.read(value!)); });
      return all;
    },
    async deadLetterReasons() {
      const all: string[] = [];
      await readTopic(kafka, TOPICS.deadLetters.name, (_partition, records) => { for (const { headers } of records) all.push(headers[DEAD_LETTER_HEADERS.reason]!.toString()); });
      return all.sort();
    },
  };
}

/** What an oracle accepts and refuses of a history. */
export function expectedOf(history: readonly OracleEvent[]): { accepted: OracleEvent[]; tooLate: number } {
  const oracle = new Oracle(view);
  const outcomes = history.map((event) => oracle.take(event));
  return { accepted: history.filter((_, i) => outcomes[i] === 'accepted'), tooLate: outcomes.filter((outcome) => outcome === 'too late').length };
}

/** The first output that is not the oracle's vector after its event, each customer's in the order of the history; undefined where all are. */
export function complaintOf(history: readonly OracleEvent[], outputs: readonly FeatureOutput[]): string | undefined {
  const names = featureNames(view);
  const oracle = new Oracle(view);
  const byCustomer = new Map<string, FeatureOutput[]>();
  for (const output of outputs) {
    const list = byCustomer.get(String(output['customer_id']));
    if (list === undefined) byCustomer.set(String(output['customer_id']), [output]);
    else list.push(output);
  }
  for (const event of history) {
    if (oracle.take(event) !== 'accepted') continue;
    const output = byCustomer.get(event.customer_id)?.shift();
    if (output === undefined) return `${event.event_id} is missing`;
    if (output['event_id'] !== event.event_id) return `${output['event_id']} stands where ${event.event_id} should`;
    const differs = difference(names, names.map((name) => Number(output[name])), oracle.vector(event.customer_id));
    if (differs !== undefined) return `${event.event_id}: ${differs}`;
  }
  for (const [customer, left] of byCustomer) if (left.length > 0) return `${customer} has ${left.length} outputs too many`;
  return undefined;
}
