import t from 'tap';
import { Log } from '../../../../runtime/log.js';
import type { DriftRequest, Measurement } from '../../../../schemas/drift/measurement.js';
import { measureTogether, type Multivariate } from '../../../../stream-processors/drift/together.js';

const request: DriftRequest = { model: 'churn', modelVersion: 'v1', window: { from: 0, to: 3_600_000 }, previous: { from: -3_600_000, to: 0 }, segments: [] };
const one: Measurement = { feature: 'multivariate', segment: '', against: 'previous', statistic: 'domain_auc', value: 0.6, baseline: 0, p: 0.1, degrees: 0, n: 500, n_reference: 500 };

function over(multivariate: Multivariate, msMax: number): { measure: () => Promise<Measurement[]>; outcomes: string[]; lines: string[] } {
  const [outcomes, lines]: [string[], string[]] = [[], []];
  const measure = measureTogether(multivariate, () => ({ together: (outcome) => { outcomes.push(outcome); } }), new Log('test', 'warn', (line) => lines.push(line)), msMax);
  return { measure: () => measure(request), outcomes, lines };
}

t.test('what is measured is handed on', async (t) => {
  const { measure, outcomes } = over(() => Promise.resolve([one]), 60_000);
  t.same(await measure(), [one]);
  t.same(await measure(), [one]);
  t.same(outcomes, ['measured', 'measured']);
});

t.test('a failure is said, and the look goes on without', async (t) => {
  const { measure, outcomes, lines } = over(() => Promise.reject(new Error('no library')), 60_000);
  t.same(await measure(), []);
  t.same(outcomes, ['failed']);
  t.match(lines, [/multivariate_left_out.*no library/]);
});

t.test('what takes too long is given up, and not begun again while it still runs', async (t) => {
  let end = (): void => undefined;
  let begun = 0;
  const { measure, outcomes } = over(() => {
    begun++;
    return new Promise<Measurement[]>((resolve) => { end = () => resolve([one]); });
  }, 20);
  t.same(await measure(), []);
  t.same(await measure(), [], 'the first one is still running');
  t.same([begun, outcomes], [1, ['late']]);
  end();
  await new Promise((resolve) => setImmediate(resolve));
  const again = measure();
  end();
  t.same(await again, [one]);
  t.same(outcomes, ['late', 'measured']);
});
