import t from 'tap';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { featureQueryFile } from '../../schemas/features/sql/query-file.js';
import { holdGenerated } from '../support/generated.js';
import { goldenFeatures, goldenPath, goldenText, GOLDEN_VIEWS } from '../support/golden.js';

t.test('the query of the default view', async (t) => {
  holdGenerated(t, `clickhouse/queries/features_${customerActivity.name}.sql`, featureQueryFile(customerActivity));
});

for (const view of GOLDEN_VIEWS)
  t.test(`golden vectors of ${view.name}`, async (t) => {
    const golden = goldenFeatures(view);
    t.same([...new Set(golden.steps.map((step) => step.outcome))].sort(), ['accepted', 'duplicate', 'too late'], 'hold every outcome');
    holdGenerated(t, goldenPath(view), goldenText(golden));
  });
