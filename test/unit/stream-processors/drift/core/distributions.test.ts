import t, { type Test } from 'tap';
import { digamma, incompleteBeta, logGamma, studentQuantile, studentTail, trigamma, trigammaInverse } from '../../../../../stream-processors/drift/core/distributions.js';

/** Values of SciPy 1.17.1: gammaln, digamma, polygamma(1), betainc, t.sf, t.isf. */
const LOG_GAMMA: readonly (readonly number[])[] = [
  [0.1, 2.252712651734206], [0.5, 0.5723649429247], [1.5, -0.12078223763524526], [3.0, 0.6931471805599453], [10.25, 13.368023671476045], [100.0, 359.1342053695754],
];
const DIGAMMA: readonly (readonly number[])[] = [
  [0.2, -5.289039896592189], [1.0, -0.5772156649015329], [2.5, 0.7031566406452432], [9.0, 2.1406414779556098], [50.0, 3.9019896734278925],
];
const TRIGAMMA: readonly (readonly number[])[] = [
  [0.2, 26.26737720542378], [1.0, 1.6449340668482266], [2.5, 0.4903577561002349], [9.0, 0.11751201469403141], [50.0, 0.020201333226697128],
];
const BETA: readonly (readonly number[])[] = [
  [0.1, 0.5, 0.5, 0.20483276469913345], [0.9, 5.0, 0.5, 0.3166429150200122], [0.3, 10.0, 2.0, 4.723919999999998e-05], [0.999, 3.0, 0.5, 0.9407468104840536], [0.0001, 2.0, 0.5, 3.750125007031719e-09],
];
const TAIL: readonly (readonly number[])[] = [
  [0.0, 3.0, 0.5], [1.0, 2.0, 0.2113248654051871], [2.5, 10.0, 0.01572342211830441], [-1.5, 7.0, 0.911350756505015], [6.0, 12.5, 2.6205295727511192e-05], [12.0, 4.0, 0.0001382142742514865], [8.0, 30.0, 3.1329112378503795e-09], [40.0, 3.0, 1.7190340394579253e-05],
];
const QUANTILE: readonly (readonly number[])[] = [
  [0.4, 5.0, 0.2671808657041451], [0.05, 10.0, 1.812461122811676], [0.001, 2.0, 22.327124770119873], [1e-05, 12.5, 6.6259909909143095], [1e-08, 20.0, 8.942883259935037], [1e-10, 3.0, 2225.769284683093],
];

function near(t: Test, got: number, want: number, relative: number): void {
  t.ok(Math.abs(got - want) <= relative * Math.abs(want), `${got}, expected ${want}`);
}

t.test('special functions are SciPy’s', async (t) => {
  for (const [x, want] of LOG_GAMMA) near(t, logGamma(x!), want!, 1e-12);
  for (const [x, want] of DIGAMMA) near(t, digamma(x!), want!, 1e-9);
  for (const [x, want] of TRIGAMMA) {
    near(t, trigamma(x!), want!, 1e-9);
    near(t, trigammaInverse(want!), x!, 1e-8);
  }
  for (const [x, a, b, want] of BETA) near(t, incompleteBeta(x!, a!, b!), want!, 1e-10);
});

t.test('Student’s t: tails and quantiles are SciPy’s', async (t) => {
  for (const [value, dof, want] of TAIL) near(t, studentTail(value!, dof!), want!, 1e-9);
  for (const [p, dof, want] of QUANTILE) near(t, studentQuantile(p!, dof!), want!, 1e-9);
});
