import { createKafka } from '../../runtime/kafka/client.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { readModels } from '../../runtime/models/read.js';
import { readStoredModel } from '../../runtime/models/stored.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { ModelManifest } from '../../schemas/events/model.js';

export interface FoundModel {
  readonly manifest: ModelManifest;
  readonly onnx: Buffer;
  readonly source: 'artifacts' | 'models';
}

/**
 * A version's bytes, checked against their hash: from the artifact store, else from the topic `models`.
 * @throws TidemarkError NOT_FOUND where neither has it
 */
export async function findModel(settings: Settings, log: Log, version: string): Promise<FoundModel> {
  const stored = await readStoredModel(settings, { model: settings.MODEL_NAME, version });
  if (stored !== undefined) return { ...stored, source: 'artifacts' };
  let found: FoundModel | undefined;
  await readModels({
    kafka: createKafka(settings, log), codec: createManifestCodec(createRegistry(settings, log)), log,
    onModel: ({ manifest, onnx }) => { if (manifest.version === version) found = { manifest, onnx, source: 'models' }; },
  });
  if (found === undefined) throw new TidemarkError('NOT_FOUND', `model ${settings.MODEL_NAME} ${version}: neither in the artifact store nor on the topic models; set MODEL_NAME or ARTIFACTS_URL to where it was trained`);
  return found;
}
