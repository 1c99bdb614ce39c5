import t, { type Test } from 'tap';
import { customerActivity } from '../../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../../schemas/features/derive.js';
import { compileReducer, type State } from '../../../../../stream-processors/features/core/reducer.js';
import { difference, take } from '../../../../support/features.js';
import { randomHistory, shopHistory, type HistoryRecord } from '../../../../support/history.js';
import { Oracle } from '../../../../support/oracle.js';
import { seeded, seedOf } from '../../../../support/random.js';
import { everyAggregate, hoursOnly, lifetimeOnly } from '../../../../support/views.js';

const DAY = 86_400_000;
const OUTCOMES = ['accepted', 'duplicate', 'too late'];
const seed = seedOf(20_260_101);
t.comment(`TEST_SEED=${seed}`);
t.setTimeout(400_000);

/** Feeds a history to reducer and oracle; after each event compares the outcome and the vector, now and at later clocks. */
function compare(t: Test, view: typeof customerActivity, history: readonly HistoryRecord[]): void {
  const reducer = compileReducer(view);
  const oracle = new Oracle(view);
  const names = featureNames(view);
  const states = new Map<string, State>();
  const random = seeded(seed);
  const buffer = new Uint8Array(1 << 16);
  const out = new Float64Array(names.length + 2);
  const seen: Record<string, number> = {};
  const wrong: string[] = [];
  for (const event of history) {
    let state = states.get(event.customer_id) ?? reducer.create();
    const outcome = OUTCOMES[take(reducer, state, event)]!;
    const wanted = oracle.take(event);
    seen[wanted] = (seen[wanted] ?? 0) + 1;
    if (outcome !== wanted) wrong.push(`${event.event_id}: ${outcome}, oracle says ${wanted}`);
    // Every third time the state goes through its stored form, so that whatever that loses shows later.
    if (random.chance(0.3)) state = reducer.decode(buffer, 3, reducer.encode(state, buffer, 3));
    states.set(event.customer_id, state);
    const clocks = random.chance(0.1) ? [0, event.event_time + random.below(100 * DAY)] : [0];
    for (const clock of clocks) {
      out.fill(-1);
      reducer.vector(state, clock, out, 1);
      const found = difference(names, out.subarray(1, 1 + names.length), oracle.vector(event.customer_id, clock));
      if (found !== undefined) wrong.push(`${event.event_id} at ${clock}: ${found}`);
      if (out[0] !== -1 || out[names.length + 1] !== -1) wrong.push('wrote outside its place');
    }
  }
  t.same(wrong.slice(0, 5), [], `${history.length} events, ${JSON.stringify(seen)}, agree with the oracle`);
}

for (const view of [customerActivity, everyAggregate, hoursOnly, lifetimeOnly])
  t.test(`${view.name}: every vector equals the oracle's`, async (t) => {
    compare(t, view, randomHistory({ seed, customers: 20, eventsPerCustomer: 110 }));
    compare(t, view, randomHistory({ seed: seed + 1, customers: 80, eventsPerCustomer: 12, lateDaysMax: 10 }));
    compare(t, view, shopHistory({ seed: seed + 2, customers: 15, days: 300 }));
  });
