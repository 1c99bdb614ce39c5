/**
 * 53-bit hash of an identifier, as a safe integer: cyrb53 (two 32-bit multiply-xor lanes, MurmurHash3's finalizer) over
 * the UTF-16 code units. It is written to state, so it never changes.
 *
 * It stands for event_id in a customer's ring of recent ids: two different ids of one customer are taken for the same
 * with probability 2^-53 a pair, so a ring of 32 ids drops a good event once in about 2.8e14 events. It is no defence
 * against ids made to collide, which only harm the producer's own customer.
 */
export function hashId(id: string): number {
  let a = HASH_SEED_A;
  let b = HASH_SEED_B;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    a = Math.imul(a ^ unit, HASH_FACTOR_A);
    b = Math.imul(b ^ unit, HASH_FACTOR_B);
  }
  return finishHash(a, b);
}

/** The start and the factors of the two lanes, for readers that hash while they scan bytes. */
export const HASH_SEED_A = 0xdeadbeef;
export const HASH_SEED_B = 0x41c6ce57;
export const HASH_FACTOR_A = 2_654_435_761;
export const HASH_FACTOR_B = 1_597_334_677;

/** Mixes the two lanes into 53 bits. */
export function finishHash(a: number, b: number): number {
  const x = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  const y = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(x ^ (x >>> 13), 3_266_489_909);
  return 4_294_967_296 * (y & 0x1f_ffff) + (x >>> 0);
}
