import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../settings.js';
import { createFolderStore } from './folder.js';
import { createS3Store } from './s3.js';

/** Bytes, or a file that holds them, with the hash that was computed while it was made. */
export type Content = { readonly bytes: Uint8Array } | { readonly file: string; readonly sha256: string };

/** Objects under keys. What stands under `files/` is named by its hash and is never changed. */
export interface ArtifactStore {
  /** Where it is, for people. */
  readonly place: string;
  has(key: string): Promise<boolean>;
  /** Whole or not at all: no reader sees a part of it. */
  put(key: string, content: Content): Promise<void>;
  /** Undefined where there is none. */
  get(key: string): Promise<Buffer | undefined>;
}

export type ArtifactSettings = Pick<Settings, 'DATA_DIR' | 'ARTIFACTS_URL' | 'ARTIFACTS_ENDPOINT' | 'ARTIFACTS_REGION' | 'ARTIFACTS_ACCESS_KEY_ID' | 'ARTIFACTS_SECRET_ACCESS_KEY' | 'ARTIFACTS_SESSION_TOKEN' | 'ARTIFACTS_CA_FILE'>;

/**
 * The store of the settings: DATA_DIR/artifacts, another folder, or a bucket. Its methods throw ARTIFACTS_UNREACHABLE.
 * @throws TidemarkError CONFIG_INVALID where a bucket has no keys or the CA file cannot be read
 */
export function openArtifacts(settings: ArtifactSettings): ArtifactStore {
  const url = settings.ARTIFACTS_URL;
  if (url === undefined) return createFolderStore(join(settings.DATA_DIR, 'artifacts'));
  return url.startsWith('s3:') ? createS3Store(settings, new URL(url)) : createFolderStore(fileURLToPath(url));
}
