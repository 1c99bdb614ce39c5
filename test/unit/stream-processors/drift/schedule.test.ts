import t from 'tap';
import { createSchedule } from '../../../../stream-processors/drift/schedule.js';

const at = (text: string): number => Date.parse(text);

t.test('the latest time that is due, once, in UTC', async (t) => {
  const monday = createSchedule('0 3 * * 1');
  const table: readonly (readonly [after: string, until: string, due: string | undefined])[] = [
    ['2026-11-16T03:00:00Z', '2026-11-23T02:59:59.999Z', undefined],
    ['2026-11-16T03:00:00Z', '2026-11-23T03:00:00Z', '2026-11-23T03:00:00Z'],
    ['2026-11-23T03:00:00Z', '2026-11-23T18:00:00Z', undefined],
    ['2026-10-01T00:00:00Z', '2026-11-24T00:00:00Z', '2026-11-23T03:00:00Z'],
    ['2026-03-28T00:00:00Z', '2026-03-30T03:00:00Z', '2026-03-30T03:00:00Z'],
  ];
  for (const [after, until, due] of table) t.equal(monday.lastIn(at(after), at(until)), due === undefined ? undefined : at(due), `${after} to ${until}`);
});

t.test('an expression that is none is said at the start', async (t) => {
  for (const expression of ['every monday', '61 * * * *', ''])
    t.throws(() => createSchedule(expression), { code: 'CONFIG_INVALID', message: /RETRAIN_SCHEDULE/ });
});
