import { MODEL_MANIFEST_AVRO, type ModelManifest } from '../../schemas/events/model.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { createRecordCodec } from '../registry/record-codec.js';
import type { Registry } from '../registry/registry.js';
import type { ManifestCodec } from './assemble.js';

/** Manifests as the topic has them. */
export const createManifestCodec = (registry: Registry): ManifestCodec =>
  createRecordCodec<ModelManifest>(registry, subjectOf(TOPICS.models.name), MODEL_MANIFEST_AVRO);
