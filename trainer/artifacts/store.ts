import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelManifest } from '../../schemas/events/model.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { openArtifacts, type ArtifactSettings } from '../../runtime/artifacts/store.js';
import { hashesOf, putTree } from '../../runtime/artifacts/tree.js';
import { createClickHouse, onClickHouse } from '../../runtime/clickhouse.js';
import { modelTree } from '../../runtime/models/stored.js';
import type { Settings } from '../../runtime/settings.js';
import type { Dataset } from '../dataset/read.js';
import { datasetManifest, sha256, type StoredFile } from './dataset-manifest.js';
import { writeParquet } from './parquet.js';

/** Where a training set stands in the artifact store. */
export const datasetTree = (dataset_id: string): string => `datasets/${dataset_id}`;

export interface StoredDataset {
  /** sha256 of its manifest, which names every file by its hash. */
  readonly dataset_id: string;
  /** Of the rows. */
  readonly bytes: number;
  readonly place: string;
}

/**
 * Stores a training set: rows as Parquet, the query that makes them, the manifest, and the DVC pointer `datasets/<dataset_id>.dvc`.
 * The same set stored again changes nothing.
 * @throws TidemarkError ARTIFACTS_UNREACHABLE, CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export async function storeDataset(settings: Settings, view: FeatureView, set: Dataset): Promise<StoredDataset> {
  const store = openArtifacts(settings);
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-dataset-'));
  const client = createClickHouse(settings, { requestTimeoutMs: 600_000 });
  try {
    const written = await onClickHouse(settings, 'training: parquet', () => writeParquet(client, set, folder));
    const files: StoredFile[] = [];
    for (const { path, file, rows } of written) files.push({ path, rows, ...await hashesOf({ path, file }) });
    const manifest = datasetManifest(view, set, files);
    const dataset_id = sha256(manifest);
    await putTree(store, datasetTree(dataset_id), [
      ...written, { path: 'query.sql', bytes: Buffer.from(set.lineage.query) }, { path: 'manifest.json', bytes: Buffer.from(manifest) },
    ], { data_hash: set.data_hash, view: `${view.name} ${view.version}` });
    return { dataset_id, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), place: store.place };
  } finally {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Stores a published version: model.onnx, manifest.json, its card where it has one, and the pointer `models/<model>/<version>.dvc`.
 * @param card its card in Markdown
 * @returns where
 * @throws TidemarkError ARTIFACTS_UNREACHABLE
 */
export async function storeModel(settings: ArtifactSettings, manifest: ModelManifest, onnx: Uint8Array, card?: string): Promise<string> {
  const store = openArtifacts(settings);
  await putTree(store, modelTree(manifest), [
    { path: 'model.onnx', bytes: onnx }, { path: 'manifest.json', bytes: Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`) },
    ...(manifest.card === '' ? [] : [{ path: 'card.json', bytes: Buffer.from(manifest.card) }]),
    ...(card === undefined ? [] : [{ path: 'card.md', bytes: Buffer.from(card) }]),
  ], { onnx_sha256: manifest.onnx_sha256, dataset_id: manifest.dataset_id });
  return `${store.place}/${modelTree(manifest)}.dvc`;
}
