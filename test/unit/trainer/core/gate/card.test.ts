import t from 'tap';
import { MANIFEST_DEFAULTS } from '../../../../../schemas/events/model.js';
import { cardMarkdown } from '../../../../../trainer/core/gate/card-markdown.js';
import { cardOf, readCard, type TrainingFacts } from '../../../../../trainer/core/gate/card.js';
import { startComparison } from '../../../../../trainer/core/gate/compare.js';
import { judge } from '../../../../../trainer/core/gate/verdict.js';
import { simulateModels } from '../../../../support/model-pair.js';

const run = startComparison(simulateModels({ seed: 3, customers: 100, rows_each: 3 }).sample, { metric: 'log_loss', level: 0.05, rounds: 50, seed: 5 });
while (run.advance(50));
const cost = { one_row_us: 12, many_rows_us: 5, bytes: 300_000 };
const costs = { candidate: cost, champion: cost };
const comparison = run.result();
const verdict = judge(comparison, costs, { metric_tolerance: 0.02, segment_tolerance: 0.05, calibration_tolerance: 0.02, latency_ratio_max: 3, size_ratio_max: 10 });
const training: TrainingFacts = {
  families: [{ family: 'random_forest', trials: 4, metrics: { log_loss: 0.4321, brier: 0.12, auc: 0.81 } }],
  calibrations: [{ method: 'none', calibration_error: 0.05, log_loss: 0.44 }, { method: 'platt', calibration_error: 0.01, log_loss: 0.4321 }],
  warnings: ['every_day: expected no day without events, got 2 (days)'],
  cleaning: [{ rule: 'quarantined', leaves_out: 'moments inside quarantined windows', count: 162 }, { rule: 'infinite', leaves_out: 'rows with an infinite value', count: 0 }],
};
const input = (facts: { training?: TrainingFacts }): Parameters<typeof cardOf>[0] => ({
  manifest: {
    model: 'churn', version: 'v2', stage: 'candidate', family: 'random_forest', view: 'customer_activity', view_version: 1, features: ['a', 'b'], created_at: 1_700_000_000_000, metrics: { auc: 0.8 },
    parameters: { seed: '7' }, data_hash: 'h', data_from: 0, data_to: 1, data_rows: 900, test_inputs: [], test_outputs: [], ...MANIFEST_DEFAULTS,
  },
  gate: { comparison, costs, verdict, champion: 'v1', seen_by_champion: 0 },
  held_out: { from: 1, to: 2 }, importances: [{ feature: 'a', share: 0.7 }, { feature: 'b', share: 0.3 }],
  decision: { entrance: 'refused', reason: verdict.reason, by: 'test', retrain_event_id: '', asked_because: '' }, ...facts,
});

t.test('the card tells what the model was chosen from, and what was found in its data', async (t) => {
  const text = cardMarkdown(cardOf(input({ training })));
  for (const piece of ['## Training', '| random forest | 0.4321 | 0.1200 | 0.8100 | 4 |', '| platt | 0.0100 | 0.4321 |', '- left out: 162 moments inside quarantined windows', '- warning: every_day: expected no day without events, got 2 (days)'])
    t.ok(text.includes(piece), piece);
  t.notOk(text.includes('left out: 0'), 'what was not there is not told');
  t.same(readCard(JSON.stringify(cardOf(input({ training }))))?.training, training);
});

t.test('a card without it, of an imported model, has no such section', async (t) => {
  t.notOk(cardMarkdown(cardOf(input({}))).includes('## Training'));
});
