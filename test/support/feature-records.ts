import type { KafkaRecord } from '../../runtime/kafka/records.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { frame } from '../../runtime/registry/wire-format.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames, featuresAvro, type Trigger } from '../../schemas/features/derive.js';

export interface FeatureFields {
  customer_id: string;
  event_id: string;
  event_time: number;
  trigger: Trigger;
  view_version: number;
  produced_at: number;
  committed_at: number;
  channel: string;
  values: readonly number[];
}

/** Customer-features records as avsc writes them. */
export function featureRecords(view: FeatureView, schemaId: number) {
  const type = avroType(featuresAvro(view));
  const names = featureNames(view);
  const valueOf = ({ values, ...rest }: FeatureFields): Buffer => frame(schemaId, type.toBuffer({ ...rest, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) }));
  const fields = (i: number, changes: Partial<FeatureFields> = {}): FeatureFields => ({
    customer_id: `C${i}`, event_id: `e-${i}`, event_time: 1_700_000_000_000 + i, trigger: i % 3 === 0 ? 'sweep' : 'event', view_version: view.version,
    produced_at: 1_700_000_001_000 + i, committed_at: 1_700_000_001_010 + i, channel: ['', 'web', 'Café'][i % 3]!,
    values: names.map((_, f) => ((i + f) % 6 === 0 ? Number.NaN : ((i * 7 + f * 3) % 23) - 2.5)), ...changes,
  });
  const record = (offset: number, given: FeatureFields): KafkaRecord =>
    ({ offset, timestamp: given.committed_at, key: Buffer.from(given.customer_id), value: valueOf(given), headers: {} });
  return { fields, record, valueOf };
}
