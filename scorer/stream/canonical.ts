import type { AvroTypes } from '../../runtime/registry/avro-types.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { frame, schemaIdOf } from '../../runtime/registry/wire-format.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featuresAvro } from '../../schemas/features/derive.js';

/** Brings customer-features values of any writer schema into the bytes of this scorer's own. */
export interface Canonical {
  /** The same buffer where the value is written with our schema; undefined where its schema must be fetched first. */
  now(framed: Buffer): Buffer | undefined;
  /** @throws TidemarkError REGISTRY_UNREACHABLE, SCHEMA_UNKNOWN, SCHEMA_INCOMPATIBLE, RECORD_UNDECODABLE */
  later(framed: Buffer): Promise<Buffer>;
}

/** @param ownId the registry's id of `featuresAvro(view)` */
export function createCanonical(types: AvroTypes, view: FeatureView, ownId: number): Canonical {
  const schema = featuresAvro(view);
  const decoder = types.decoder<unknown>(schema);
  const own = avroType(schema);
  const rewrite = (framed: Buffer): Buffer => frame(ownId, own.toBuffer(decoder.decode(framed)));
  return {
    now(framed) {
      if (schemaIdOf(framed) === ownId) return framed;
      return decoder.ready(framed) ? rewrite(framed) : undefined;
    },
    async later(framed) {
      await decoder.prepare(framed);
      return rewrite(framed);
    },
  };
}
