const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The least float32 that is greater. @param value a finite float32 */
export const floatAfter = (value: number): number => stepped(value === 0 ? 0 : value, 1);
/** The greatest float32 that is less. @param value a finite float32 */
export const floatBefore = (value: number): number => -floatAfter(-value);

function stepped(value: number, by: number): number {
  float[0] = value;
  bits[0]! += value < 0 ? -by : by;
  return float[0]!;
}

/** Marsaglia's 32-bit xorshift, in [0, 1): the same numbers at every start. */
export function xorshift(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}
