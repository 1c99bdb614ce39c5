import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { TidemarkError } from '../errors.js';
import { listingKey, listingOf, listingText, objectKey, pointerText, readListing, type TreeFile } from './core/dvc.js';
import type { ArtifactStore } from './store.js';

/** A file to store, under its path within the tree. */
export type SourceFile = { readonly path: string } & ({ readonly bytes: Uint8Array } | { readonly file: string });

/**
 * Stores files as DVC stores a folder: each under its md5, then their listing, then the pointer, so that whoever sees a pointer
 * finds all of it. What is there already is not sent again.
 * @param name of the pointer, `datasets/<id>`: it stands under `<name>.dvc` and its folder is the last part
 * @param meta goes into the pointer
 */
export async function putTree(store: ArtifactStore, name: string, sources: readonly SourceFile[], meta: Readonly<Record<string, string>> = {}): Promise<void> {
  const files: TreeFile[] = [];
  for (const source of sources) {
    const { md5, sha256, bytes } = await hashesOf(source);
    const key = objectKey(md5);
    if (!(await store.has(key))) await store.put(key, 'file' in source ? { file: source.file, sha256 } : source);
    files.push({ path: source.path, md5, bytes });
  }
  const listing = Buffer.from(listingText(files));
  const md5 = createHash('md5').update(listing).digest('hex');
  if (!(await store.has(listingKey(md5)))) await store.put(listingKey(md5), { bytes: listing });
  await store.put(`${name}.dvc`, { bytes: Buffer.from(pointerText(name.slice(name.lastIndexOf('/') + 1), md5, files, meta)) });
}

/**
 * One file of a stored tree, checked against its md5.
 * @returns undefined where there is no such tree or file
 * @throws TidemarkError ARTIFACTS_UNREACHABLE also where the bytes are damaged
 */
export async function getTreeFile(store: ArtifactStore, name: string, path: string): Promise<Buffer | undefined> {
  const pointer = await store.get(`${name}.dvc`);
  const listing = pointer === undefined ? undefined : listingOf(pointer.toString('utf8'));
  if (listing === undefined) return undefined;
  const files = readListing((await store.get(listingKey(listing)))?.toString('utf8') ?? '');
  const found = files?.find((file) => file.path === path);
  const bytes = found === undefined ? undefined : await store.get(objectKey(found.md5));
  if (bytes !== undefined && createHash('md5').update(bytes).digest('hex') !== found!.md5)
    throw new TidemarkError('ARTIFACTS_UNREACHABLE', `artifacts: ${store.place}/${objectKey(found!.md5)}: its bytes have another md5 than its name says: the object is damaged, restore it`);
  return bytes;
}

/** md5, as DVC names objects; sha256, as S3 and we check them. */
export async function hashesOf(source: SourceFile): Promise<{ md5: string; sha256: string; bytes: number }> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let bytes = 0;
  const take = (part: Uint8Array): void => {
    md5.update(part);
    sha256.update(part);
    bytes += part.length;
  };
  if ('bytes' in source) take(source.bytes);
  else for await (const part of createReadStream(source.file) as AsyncIterable<Buffer>) take(part);
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex'), bytes };
}
