const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The least float32 that is greater. @param value a finite float32 */
export function floatAfter(value: number): number {
  float[0] = value === 0 ? 0 : value;
  bits[0]! += value < 0 ? -1 : 1;
  return float[0]!;
}

/** The greatest float32 that is less. @param value a finite float32 */
export const floatBefore = (value: number): number => -floatAfter(-value);
