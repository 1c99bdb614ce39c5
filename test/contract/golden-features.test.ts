import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { featureSql } from '../../schemas/features/sql/feature-sql.js';
import { everyEventSpine } from '../../schemas/features/sql/spine.js';
import { viewProblems } from '../../schemas/features/validate.js';
import { compileReducer, type State } from '../../stream-processors/features/core/reducer.js';
import { loadEvents, openEngine, readFeatures } from '../support/engine.js';
import { difference, take } from '../support/features.js';
import { goldenPath, GOLDEN_VIEWS, type GoldenFeatures } from '../support/golden.js';

const OUTCOMES = ['accepted', 'duplicate', 'too late'];
const numbers = (values: (number | null)[]): number[] => values.map((value) => value ?? NaN);
const session = openEngine(t);

for (const { name } of GOLDEN_VIEWS)
  t.test(`${name}: the golden vectors, read from their file alone`, async (t) => {
    const golden = JSON.parse(readFileSync(join(PROJECT_ROOT, goldenPath({ name } as never)), 'utf8')) as GoldenFeatures;
    t.same(viewProblems(golden.view), [], 'the view in the file is a whole declaration');
    const reducer = compileReducer(golden.view);
    const states = new Map<string, State>();
    const out = new Float64Array(reducer.features);
    for (const { event, outcome, values, clock_ms, values_at_clock } of golden.steps) {
      const state = states.get(event.customer_id) ?? reducer.create();
      states.set(event.customer_id, state);
      t.equal(OUTCOMES[take(reducer, state, event)], outcome, event.event_id);
      reducer.vector(state, 0, out, 0);
      t.equal(difference(golden.features, out, numbers(values)), undefined, `${event.event_id}: features`);
      reducer.vector(state, clock_ms, out, 0);
      t.equal(difference(golden.features, out, numbers(values_at_clock)), undefined, `${event.event_id}: features at the clock`);
    }
    await loadEvents(session, name, golden.steps.map((step) => step.event));
    const rows = await readFeatures(session, featureSql(golden.view, { events: name, spine: everyEventSpine(name) }), golden.view);
    const byOffset = new Map(rows.map((row) => [row.as_of_offset, row.values]));
    for (const { event, values } of golden.steps)
      t.equal(difference(golden.features, byOffset.get(event.kafka_offset) ?? [], numbers(values)), undefined, `${event.event_id}: SQL`);
  });
