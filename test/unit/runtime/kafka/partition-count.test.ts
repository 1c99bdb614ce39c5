import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { partitionCountChanged } from '../../../../runtime/kafka/partition-count.js';
import { PROJECT_ROOT } from '../../../../runtime/paths.js';

t.test('the message and the page of a changed partition count name the same two ways out', async (t) => {
  const { message, code } = partitionCountChanged('customer-events', 4, 8);
  t.equal(code, 'PARTITION_COUNT_CHANGED');
  const page = readFileSync(join(PROJECT_ROOT, 'docs', 'error-codes.md'), 'utf8').split('\n## ').find((section) => section.startsWith('PARTITION_COUNT_CHANGED'))!.replace(/\s+/g, ' ');
  for (const words of ['landed', 'into topics of the new count', 'tidemark sql', '> events.ndjson', 'tidemark up --events events.ndjson', 'DATA_DIR', 'made anew with the wrong count, delete it and make it with'])
    t.ok(message.includes(words) && page.replace('has landed', 'landed').includes(words), words);
});
