import t from 'tap';
import { promisedLoss } from '../../../../../../stream-processors/drift/core/performance/promised.js';

const METRICS = { log_loss: 0.5, brier: 0.2, holdout_rows: 1000, log_loss_on_event: 0.25, log_loss_in_silence: 0.75, holdout_rows_on_event: 100, holdout_rows_in_silence: 400 };

t.test('the holdout’s losses after events and in silence, in the window’s proportion', async (t) => {
  t.same(promisedLoss(METRICS, 'log_loss', 1), { loss: 0.25, rows: 100 });
  t.same(promisedLoss(METRICS, 'log_loss', 0), { loss: 0.75, rows: 400 });
  t.same(promisedLoss(METRICS, 'log_loss', 0.5), { loss: 0.5, rows: 1 / (0.25 / 100 + 0.25 / 400) });
});

t.test('a manifest that does not tell them apart, or does not know its holdout', async (t) => {
  t.same(promisedLoss(METRICS, 'brier', 0.5), { loss: 0.2, rows: 1000 });
  t.same(promisedLoss({ ...METRICS, holdout_rows_in_silence: 0 }, 'log_loss', 0.5), { loss: 0.5, rows: 1000 });
  t.same(promisedLoss({ ...METRICS, holdout_rows_in_silence: 0 }, 'log_loss', 1), { loss: 0.25, rows: 100 }, 'what the window does not have need not be known');
  t.equal(promisedLoss({ log_loss: 0.5 }, 'log_loss', 0.5), null);
  t.equal(promisedLoss({}, 'log_loss', 0.5), null);
});
