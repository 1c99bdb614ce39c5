import t from 'tap';
import { parseIsoTime } from '../../../../schemas/events/iso-time.js';
import { seeded, seedOf } from '../../../support/random.js';

t.test('times with a zone', async (t) => {
  const cases: [string, number][] = [
    ['1970-01-01T00:00:00Z', 0],
    ['2026-01-15T11:00:00Z', Date.UTC(2026, 0, 15, 11)],
    ['2026-01-15 11:00:00.123Z', Date.UTC(2026, 0, 15, 11, 0, 0, 123)],
    ['2026-01-15T11:00:00.1239999+02:00', Date.UTC(2026, 0, 15, 9, 0, 0, 123)],
    ['2026-01-15T11:00-0530', Date.UTC(2026, 0, 15, 16, 30)],
    ['2024-02-29T23:59:59,5z', Date.UTC(2024, 1, 29, 23, 59, 59, 500)],
    ['1969-12-31T23:59:59.999Z', -1],
  ];
  for (const [text, expected] of cases) t.equal(parseIsoTime(text), expected, text);
});

t.test('nothing else', async (t) => {
  for (const text of ['', 'yesterday', '2026-01-15', '2026-01-15T11:00:00', '2026-1-5T11:00:00Z', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '0000-00-00T00:00:00Z', '0099-01-01T00:00:00Z',
    '2026-01-15T24:00:00Z', '2026-01-15T11:60:00Z', '2026-01-15T11:00:60Z', '2026-01-15T11:00:00+24:00', '2026-01-15T11:00:00.Z', '1768478400000', 'Thu, 15 Jan 2026 11:00:00 GMT', '2026-01-15T11:00:00Z ', `2026-01-15T11:00:00.${'1'.repeat(40)}Z`])
    t.ok(Number.isNaN(parseIsoTime(text)), text);
});

t.test('what toISOString writes comes back', async (t) => {
  const random = seeded(seedOf(3));
  for (let i = 0; i < 2000; i++) {
    const time = Math.floor((random() - 0.2) * 8e12);
    if (parseIsoTime(new Date(time).toISOString()) !== time) t.fail(new Date(time).toISOString());
  }
  t.pass();
});
