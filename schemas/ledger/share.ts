/**
 * The place of a customer in [0, 1), spread evenly (FNV-1a over UTF-8 bytes with MurmurHash3's finalizer, 32 bits). Each
 * version has an order of customers of its own, by its salt: who is served by a challenger first is not always the same
 * people. A customer whose place is below the share belongs to it, so a rising share only adds customers.
 */
export function placeOf(salt: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = salt;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/** The salt of a version, for `placeOf`. */
export function saltOf(version: string): number {
  let hash = FNV_BASIS;
  for (let i = 0; i < version.length; i++) hash = Math.imul(hash ^ version.charCodeAt(i), FNV_PRIME);
  return hash;
}
