/** A file of a stored tree. */
export interface TreeFile {
  /** Within the tree, `/` between folders. */
  readonly path: string;
  readonly md5: string;
  readonly bytes: number;
}

const MD5 = /^[0-9a-f]{32}$/;

/** Where DVC 3 keeps an object in a cache or a remote. */
export const objectKey = (md5: string): string => `files/md5/${md5.slice(0, 2)}/${md5.slice(2)}`;
/** Where it keeps the listing of a folder. */
export const listingKey = (md5: string): string => `${objectKey(md5)}.dir`;

/** The listing of a folder, byte for byte as DVC writes it: its md5 is the folder's. */
export function listingText(files: readonly TreeFile[]): string {
  const inOrder = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return `[${inOrder.map(({ md5, path }) => `{"md5": "${md5}", "relpath": ${asciiJson(path)}}`).join(', ')}]`;
}

/** Python's json escapes what is not ASCII. */
const asciiJson = (text: string): string => JSON.stringify(text).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * A `.dvc` file: names a folder and the listing that it is checked out from.
 * @param path the folder's name; `[A-Za-z0-9._-]`, which needs no quotes in YAML as long as it does not look like a number
 */
export function pointerText(path: string, listingMd5: string, files: readonly TreeFile[], meta: Readonly<Record<string, string>>): string {
  const size = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const lines = Object.entries(meta).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
  return [
    'outs:', `- md5: ${listingMd5}.dir`, `  size: ${size}`, `  nfiles: ${files.length}`, '  hash: md5', `  path: ${JSON.stringify(path)}`,
    ...(lines.length > 0 ? ['meta:', ...lines] : []), '',
  ].join('\n');
}

/** The md5 of the listing that a pointer names; undefined for what is no pointer of a folder. */
export function listingOf(pointer: string): string | undefined {
  return /^- md5: ([0-9a-f]{32})\.dir$/m.exec(pointer)?.[1];
}

/** The files of a listing; undefined for what is none. */
export function readListing(text: string): { readonly path: string; readonly md5: string }[] | undefined {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(entries)) return undefined;
  const files = (entries as readonly { md5?: unknown; relpath?: unknown }[]).map((entry) => ({ path: String(entry?.relpath), md5: String(entry?.md5) }));
  return files.every(({ md5 }) => MD5.test(md5)) ? files : undefined;
}
