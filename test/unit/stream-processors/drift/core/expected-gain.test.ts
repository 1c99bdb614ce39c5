import t from 'tap';
import { expectedGain } from '../../../../../stream-processors/drift/core/expected-gain.js';

t.test('what was lost since the holdout, in the declared metric', async (t) => {
  t.equal(expectedGain('log_loss', 0.5, 0.375), 0.125);
  t.equal(expectedGain('brier', 0.1, 0.25), 0, 'better than promised: nothing to win');
  t.equal(expectedGain('auc', 0.75, 0.875), 0.125, 'more is better');
  t.equal(expectedGain('pr_auc', 0.875, 0.75), 0);
  for (const [figure, promised] of [[null, 0.3], [0.3, null], [NaN, 0.3]] as const) t.equal(expectedGain('log_loss', figure, promised), null, 'nothing can be said');
});
