/**
 * Special functions behind the thresholds: Student's t and what moderated variances need. Accuracy about 1e-12 relative
 * where it matters (tails down to 1e-12); sources: Numerical Recipes 3rd ed. §6.1, §6.4 (Lanczos, Lentz), Abramowitz and
 * Stegun 6.3.18 and 6.4.12 (asymptotic digamma and trigamma).
 */
const LANCZOS = [676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7];

export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
  const z = x - 1;
  const t = z + LANCZOS.length - 0.5;
  const series = LANCZOS.reduce((sum, coefficient, i) => sum + coefficient / (z + i + 1), 0.9999999999998099);
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series);
}

/** ψ(x) for x > 0. */
export function digamma(x: number): number {
  let [value, at] = [0, x];
  for (; at < 8; at++) value -= 1 / at;
  const r = 1 / (at * at);
  return value + Math.log(at) - 0.5 / at - r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r / 132))));
}

/** ψ′(x) for x > 0. */
export function trigamma(x: number): number {
  let [value, at] = [0, x];
  for (; at < 8; at++) value += 1 / (at * at);
  const r = 1 / (at * at);
  return value + 1 / at + r / 2 + (r / at) * (1 / 6 - r * (1 / 30 - r * (1 / 42 - r / 30)));
}

/** The x with ψ′(x) = y > 0, by bisection on the logarithm: ψ′ falls from ∞ to 0. */
export function trigammaInverse(y: number): number {
  let [low, high] = [-20, 20];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (trigamma(Math.exp(middle)) > y) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** Regularised incomplete beta function I_x(a, b), by Lentz's continued fraction. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const TINY = 1e-300;
  const guarded = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / guarded(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 500; m++) {
    for (const numerator of [(m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)), (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))]) {
      d = 1 / guarded(1 + numerator * d);
      c = guarded(1 + numerator / c);
      fraction *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return fraction;
}

/** P(T > t) of Student's t with `dof` > 0 degrees of freedom. */
export function studentTail(t: number, dof: number): number {
  const half = 0.5 * incompleteBeta(dof / (dof + t * t), dof / 2, 0.5);
  return t >= 0 ? half : 1 - half;
}

/** The t with P(T > t) = p, 0 < p < 0.5. */
export function studentQuantile(p: number, dof: number): number {
  let [low, high] = [0, 2];
  while (studentTail(high, dof) > p && high < 1e12) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, dof) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
