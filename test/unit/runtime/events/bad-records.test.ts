import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isRejection } from '../../../../runtime/events/event-decoder.js';
import { schemaIdOf } from '../../../../runtime/registry/wire-format.js';
import { CUSTOMER_EVENT_AVRO } from '../../../../schemas/events/customer-event.js';
import { DEAD_LETTER_REASONS } from '../../../../schemas/events/dead-letter.js';
import { recordCases, RECORD_TIME_MS } from '../../../support/bad-records.js';
import { decodeBoth, decoderOf, OWN_SCHEMA_ID } from '../../../support/event-decoder.js';
import { sharedData } from '../../../support/shared-data.js';

const folder = sharedData('bad-inputs');
const skip = folder === undefined ? 'shared/data/bad-inputs is not here' : false;

t.test('each record of the set is taken, or refused with its reason and the field', async (t) => {
  const decoder = decoderOf();
  const seen = new Set<string>();
  for (const { name, value, reason, says } of recordCases(OWN_SCHEMA_ID)) {
    const result = decodeBoth(decoder, value, RECORD_TIME_MS);
    const got = isRejection(result) ? result.reason : undefined;
    t.equal(got, reason, `${name}${isRejection(result) ? `: ${result.error}` : ''}`);
    if (isRejection(result)) {
      seen.add(result.reason);
      t.ok(result.error.includes(says ?? ''), `${name}: says ${says}`);
      t.ok(result.error.length < 1000, 'bounded');
    }
  }
  t.same(DEAD_LETTER_REASONS.filter((reason) => !seen.has(reason)), ['incompatible_schema', 'too_late'], 'the rest is not for these records');
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
});

t.test('the reference lines of shared data', { skip }, async (t) => {
  const decoder = decoderOf();
  const lines = readFileSync(join(folder!, 'bad-events.ndjson'), 'utf8').split('\n');
  const index = JSON.parse(readFileSync(join(folder!, 'bad-events.index.json'), 'utf8')) as { line: number; kind: string; expect: string }[];
  for (const { line, kind, expect } of index) {
    const result = decodeBoth(decoder, Buffer.from(lines[line - 1]!), RECORD_TIME_MS);
    if (expect === 'reject') t.ok(isRejection(result), `${line} ${kind}`);
    else if (expect !== 'no-crash') t.notOk(isRejection(result), `${line} ${kind}`);
  }
});

t.test('the reference values of shared data, their schema and ours', { skip }, async (t) => {
  const { schema, values } = JSON.parse(readFileSync(join(folder!, 'bad-kafka-values.json'), 'utf8')) as { schema: unknown; values: { id: string; kind: string; value_base64: string; expect: string }[] };
  const decoder = decoderOf({ 1: schema, [OWN_SCHEMA_ID]: CUSTOMER_EVENT_AVRO });
  for (const { id, kind, value_base64, expect } of values) {
    const value = Buffer.from(value_base64, 'base64');
    const known = [1, -1, 0].includes(schemaIdOf(value));
    if (!known) continue; // for the registry to know: the integration test asks it
    const result = decodeBoth(decoder, value, RECORD_TIME_MS);
    // JSON is taken on this topic by design.
    t.equal(isRejection(result), expect === 'reject' && kind !== 'json', `${id} ${kind}${isRejection(result) ? `: ${result.error}` : ''}`);
  }
});
