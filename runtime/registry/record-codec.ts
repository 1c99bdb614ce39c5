import { avroType } from './avro-type.js';
import { AvroTypes } from './avro-types.js';
import type { Registry } from './registry.js';
import { registerSubjects } from './subjects.js';
import { frame } from './wire-format.js';

/** Writes and reads the values of one topic that is not on a hot path. */
export interface RecordCodec<T> {
  /** @throws TidemarkError REGISTRY_UNREACHABLE, SCHEMA_INCOMPATIBLE */
  encode(record: T): Promise<Buffer>;
  /** @throws TidemarkError SCHEMA_UNKNOWN, RECORD_UNDECODABLE, REGISTRY_UNREACHABLE */
  decode(value: Buffer): Promise<T>;
}

/** Avro in Confluent wire format; written in `schema`, which is registered with the first record, read from any compatible writer. */
export function createRecordCodec<T>(registry: Registry, subject: string, schema: object): RecordCodec<T> {
  const type = avroType(schema);
  const decoder = new AvroTypes(registry, subject).decoder<T>(schema);
  let registered: Promise<number> | undefined;
  const schemaId = (): Promise<number> =>
    (registered ??= registerSubjects(registry, [{ subject, schema }]).then(([first]) => first!.id, (error: unknown) => {
      registered = undefined;
      throw error;
    }));
  return {
    encode: async (record) => frame(await schemaId(), type.toBuffer(record)),
    decode: (value) => decoder.read(value),
  };
}
