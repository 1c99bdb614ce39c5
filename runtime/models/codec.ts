import { MODEL_MANIFEST_AVRO, type ModelManifest } from '../../schemas/events/model.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { avroType } from '../registry/avro-type.js';
import { AvroTypes } from '../registry/avro-types.js';
import type { Registry } from '../registry/registry.js';
import { registerSubjects } from '../registry/subjects.js';
import { frame } from '../registry/wire-format.js';
import type { ManifestCodec } from './assemble.js';

/** Manifests as the topic has them: Avro in Confluent wire format. The schema is registered with the first that is written. */
export function createManifestCodec(registry: Registry): ManifestCodec {
  const subject = subjectOf(TOPICS.models.name);
  const type = avroType(MODEL_MANIFEST_AVRO);
  const decoder = new AvroTypes(registry, subject).decoder<ModelManifest>(MODEL_MANIFEST_AVRO);
  let registered: Promise<number> | undefined;
  const schemaId = (): Promise<number> =>
    (registered ??= registerSubjects(registry, [{ subject, schema: MODEL_MANIFEST_AVRO }]).then(([first]) => first!.id, (error: unknown) => {
      registered = undefined;
      throw error;
    }));
  return {
    encode: async (manifest) => frame(await schemaId(), type.toBuffer(manifest)),
    decode: (value) => decoder.read(value),
  };
}
