import type { ModelManifest } from '../../schemas/events/model.js';
import { openArtifacts, type ArtifactSettings } from '../artifacts/store.js';
import { getTreeFile } from '../artifacts/tree.js';
import { manifestKey, sha256Of } from './assemble.js';

/** Where a version stands in the artifact store. */
export const modelTree = (manifest: Pick<ModelManifest, 'model' | 'version'>): string => `models/${manifestKey(manifest)}`;

/**
 * A version from the artifact store, checked against its manifest's hash.
 * @returns undefined where it is not there
 * @throws TidemarkError ARTIFACTS_UNREACHABLE
 */
export async function readStoredModel(settings: ArtifactSettings, version: Pick<ModelManifest, 'model' | 'version'>): Promise<{ manifest: ModelManifest; onnx: Buffer } | undefined> {
  const store = openArtifacts(settings);
  const [text, onnx] = await Promise.all([getTreeFile(store, modelTree(version), 'manifest.json'), getTreeFile(store, modelTree(version), 'model.onnx')]);
  if (text === undefined || onnx === undefined) return undefined;
  const manifest = JSON.parse(text.toString('utf8')) as ModelManifest;
  return sha256Of(onnx) === manifest.onnx_sha256 ? { manifest, onnx } : undefined;
}
