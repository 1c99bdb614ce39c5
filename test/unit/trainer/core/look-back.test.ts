import t from 'tap';
import { customerActivity } from '../../../../schemas/features/customer-activity.js';
import { count, days, hours, sum } from '../../../../schemas/features/declaration.js';
import { defineView } from '../../../../schemas/features/validate.js';
import { lookBackOf } from '../../../../trainer/core/look-back.js';

const [HOUR, DAY] = [3_600_000, 86_400_000];

t.test('how long the default view holds what was broken', async (t) => {
  t.same(lookBackOf(customerActivity, 'null_burst'), { types: ['purchase'], amount: 'missing', ms: 90 * DAY });
  t.match(lookBackOf(customerActivity, 'unit_change'), { types: ['purchase'], amount: 'present' });
  t.ok(lookBackOf(customerActivity, 'unit_change')!.ms > 99 * 365 * DAY, 'a mean over a lifetime');
  t.same(lookBackOf(customerActivity, 'time_zone_shift'), { types: null, amount: null, ms: 38 * HOUR });
  for (const cause of ['dead_producer', 'one_channel']) t.equal(lookBackOf(customerActivity, cause), undefined, cause);
});

t.test('it follows the view', async (t) => {
  const view = defineView({ name: 'short', version: 1, dedupeRecords: 1, features: [count('events_3h', 'events', { over: hours(3) }), sum('moved_2d', 'money', { value: 'amount', over: days(2) })] });
  t.same(lookBackOf(view, 'unit_change'), { types: null, amount: 'present', ms: 2 * DAY });
  t.same(lookBackOf(view, 'time_zone_shift'), { types: null, amount: null, ms: 17 * HOUR });
  const counts = defineView({ name: 'counts', version: 1, dedupeRecords: 1, features: [count('events_2d', 'events', { over: days(2) })] });
  t.equal(lookBackOf(counts, 'unit_change'), undefined, 'no feature is made of amounts');
});
