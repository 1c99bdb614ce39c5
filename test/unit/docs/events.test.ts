import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { EVENT_TYPES } from '../../../schemas/events/customer-event.js';
import { DEAD_LETTER_HEADERS, DEAD_LETTER_REASONS, REDRIVE_HEADER } from '../../../schemas/events/dead-letter.js';

t.test('docs/events.md names every reason, event type and header, and no other reason', async (t) => {
  const text = readFileSync(join(PROJECT_ROOT, 'docs', 'events.md'), 'utf8');
  const section = text.slice(text.indexOf('| reason |'), text.indexOf('Headers:'));
  t.same([...section.matchAll(/^\| ([a-z_]+) \|/gm)].map(([, reason]) => reason).filter((reason) => reason !== 'reason'), DEAD_LETTER_REASONS);
  t.ok(text.includes(EVENT_TYPES.join(', ')));
  for (const header of [...Object.values(DEAD_LETTER_HEADERS), REDRIVE_HEADER]) t.ok(text.includes(`\`${header}\``), header);
});
