/**
 * Random numbers whose state stands in a typed array, so that ten thousand independent streams cost 16 bytes each.
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32.
 */
export class RandomStreams {
  private state: Uint32Array;

  constructor(capacity: number) {
    this.state = new Uint32Array(capacity * 4);
  }

  /** Starts a stream; the same two numbers give the same stream on every machine. */
  seed(stream: number, a: number, b: number): void {
    if ((stream + 1) * 4 > this.state.length) {
      const larger = new Uint32Array(Math.max(this.state.length * 2, (stream + 1) * 4));
      larger.set(this.state);
      this.state = larger;
    }
    let x = (Math.imul(a | 0, 0x9e3779b1) ^ Math.imul(b | 0, 0x85ebca77)) | 0;
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e3779b9) | 0;
      let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.state[stream * 4 + i] = z ^ (z >>> 15);
    }
    for (let i = 0; i < 12; i++) this.uniform(stream);
  }

  /** In (0, 1): never 0, so that its logarithm is finite. */
  uniform(stream: number): number {
    const s = this.state;
    const at = stream * 4;
    const a = s[at]!, b = s[at + 1]!, c = s[at + 2]!, d = s[at + 3]!;
    const t = (a + b + d) | 0;
    s[at] = b ^ (b >>> 9);
    s[at + 1] = (c + (c << 3)) | 0;
    s[at + 2] = ((c << 21) | (c >>> 11)) + t;
    s[at + 3] = d + 1;
    return ((t >>> 0) + 0.5) / 4294967296;
  }

  exponential(stream: number, mean: number): number {
    return -mean * Math.log(this.uniform(stream));
  }

  /** Box–Muller, the sine half unused: one call, one value, no hidden state. */
  normal(stream: number): number {
    return Math.sqrt(-2 * Math.log(this.uniform(stream))) * Math.cos(2 * Math.PI * this.uniform(stream));
  }

  /** Gamma with mean shape × scale. Marsaglia and Tsang 2000; shapes below 1 by their boosting step. */
  gamma(stream: number, shape: number, scale: number): number {
    if (shape < 1) return this.gamma(stream, shape + 1, scale) * this.uniform(stream) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal(stream);
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(this.uniform(stream)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v * scale;
    }
  }

  /** Failures before the first success, mean (1 − p) / p. */
  geometric(stream: number, p: number): number {
    return Math.floor(Math.log(this.uniform(stream)) / Math.log(1 - p));
  }
}
