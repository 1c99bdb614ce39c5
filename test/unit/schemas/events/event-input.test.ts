import t from 'tap';
import { eventInput } from '../../../../schemas/events/event-input.js';
import { isViolation, readEvent } from '../../../../schemas/events/read-event.js';
import { GOOD, RECORD_TIME_MS, recordCases } from '../../../support/bad-records.js';
import { seeded, seedOf } from '../../../support/random.js';

const SEED = seedOf(11);
const LATEST_MS = RECORD_TIME_MS + 86_400_000;
const schema = eventInput(LATEST_MS);

/** The event, or the first broken rule in the order of the fields. */
function byZod(input: unknown): unknown {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  return { field: first!.path.join('.'), rule: first!.message };
}

t.test('zod at the edges and the compiled check are one: every JSON record of the bad set', async (t) => {
  let compared = 0;
  for (const { name, value } of recordCases(1)) {
    if (!name.startsWith('JSON')) continue;
    let input: Record<string, unknown>;
    try {
      input = JSON.parse(value!.toString()) as Record<string, unknown>;
    } catch {
      continue;
    }
    if (Array.isArray(input)) continue;
    t.same(byZod(input), readEvent(input, LATEST_MS), name);
    compared++;
  }
  t.ok(compared > 60, `${compared} records`);
});

t.test('and random inputs', async (t) => {
  t.comment(`TEST_SEED=${SEED}`);
  const random = seeded(SEED);
  const odd: unknown[] = [undefined, null, '', 'x', 'a\u0000', '\ud800', 'ü'.repeat(64), 'y'.repeat(65), 'z'.repeat(129), 0, -0, -1, 1.5, 2 ** 53, 1e13, NaN, Infinity, true, [], ['purchase'], {}, { a: 'b' }, { a: 1 }, { '': 'x' },
    'login', '2026-01-01T00:00:00Z', '2026-01-01', '2027-01-01T00:00:00+01:00', RECORD_TIME_MS, LATEST_MS + 1, Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])), { __proto__: null, k: 'v'.repeat(1025) }];
  let accepted = 0;
  for (let i = 0; i < 20_000; i++) {
    const input: Record<string, unknown> = { ...GOOD, extra: 1 };
    for (let changes = random.below(3); changes > 0; changes--) input[random.pick(Object.keys(GOOD))] = random.pick(odd);
    const compiled = readEvent(input, LATEST_MS);
    const zod = byZod(input);
    if (!isViolation(compiled)) accepted++;
    if (JSON.stringify(zod) !== JSON.stringify(compiled)) return t.same(zod, compiled, `case ${i}: ${JSON.stringify(input)}`);
  }
  return t.ok(accepted > 2000 && accepted < 18_000, `${accepted} accepted`);
});

t.test('all problems are listed at once', async (t) => {
  const { error } = schema.safeParse({ event_id: '', amount: 'x' });
  t.same(error!.issues.map(({ path }) => path.join('.')), ['event_id', 'customer_id', 'event_type', 'amount', 'event_time']);
});
