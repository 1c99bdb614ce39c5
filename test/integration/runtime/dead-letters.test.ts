import t from 'tap';
import { listLetters, redriveLetters, showLetter } from '../../../deploy/dead-letters/commands.js';
import { redrivenIds, scanLetters } from '../../../runtime/dead-letters/letters.js';
import { redrive, type RedriveResult } from '../../../runtime/dead-letters/redrive.js';
import { createEventDecoder } from '../../../runtime/events/event-decoder.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { partitionOf } from '../../../runtime/kafka/partitioner.js';
import { readTopic } from '../../../runtime/kafka/read-partition.js';
import type { KafkaRecord } from '../../../runtime/kafka/records.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { avroType } from '../../../runtime/registry/avro-type.js';
import { AvroTypes } from '../../../runtime/registry/avro-types.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import { registerSubjects } from '../../../runtime/registry/subjects.js';
import { frame } from '../../../runtime/registry/wire-format.js';
import { deadLetterHeaders, REDRIVE_HEADER, type DeadLetterReason } from '../../../schemas/events/dead-letter.js';
import { subjectOf, TOPICS } from '../../../schemas/topics.js';
import { GOOD } from '../../support/bad-records.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { until } from '../../support/wait.js';
import { DAY_MS } from '../../support/event-decoder.js';

t.setTimeout(400_000);
const { settings } = await startCluster(t, { kafka: true, registry: true, partitions: 3 });
const kafka = createKafka(settings, testLog);
const transactional = createKafka(settings, testLog, 'transactional');
await ensureTopics(kafka, settings, [TOPICS.events, TOPICS.deadLetters, TOPICS.redriven]);
const producer = kafka.producer();
await producer.connect();
t.teardown(() => producer.disconnect());

let source = 0;
async function bury(reason: DeadLetterReason, value: Buffer | null, { key = 'C1' as string | null, failedAt = Date.now(), headers = {} as Record<string, string> } = {}): Promise<string> {
  const partition = key === null ? 1 : partitionOf(key, 3);
  const [meta] = await producer.send({
    topic: TOPICS.deadLetters.name,
    messages: [{
      key, value, partition,
      headers: deadLetterHeaders({ reason, error: `because of ${reason}` }, { topic: TOPICS.events.name, partition, offset: source++, timestamp: failedAt - 5 }, failedAt, headers),
    }],
  });
  return `${partition}-${meta!.baseOffset}`;
}
/** What stands on the topic, once it is this many records: a commit returns before its markers let readers see it. */
async function sent(countMin = 0): Promise<(KafkaRecord & { partition: number })[]> {
  let all: (KafkaRecord & { partition: number })[] = [];
  await until(`${countMin} records`, async () => {
    all = [];
    await readTopic(kafka, TOPICS.events.name, (partition, records) => { for (const { offset, timestamp, key, value, headers } of records) all.push({ partition, offset, timestamp, key, value, headers }); });
    return all.length >= countMin;
  });
  return all;
}
const decoder = () => createEventDecoder(new AvroTypes(createRegistry(settings, testLog), subjectOf(TOPICS.events.name)), DAY_MS);
const run = (change: Partial<Parameters<typeof redrive>[1]> = {}): Promise<RedriveResult> =>
  redrive(transactional, { filter: {}, decoder: decoder(), dryRun: false, force: false, limit: Infinity, now: Date.now, ...change });
const output = async (command: (write: (text: string) => void) => Promise<void>): Promise<string> => {
  let text = '';
  await command((piece) => { text += piece; });
  return text;
};

const schema = { type: 'record', name: 'Later', fields: [{ name: 'event_id', type: 'string' }, { name: 'customer_id', type: 'string' }, { name: 'event_type', type: 'string' }, { name: 'event_time', type: 'long' }] };
const later = (id: number): Buffer => frame(id, avroType(schema).toBuffer({ event_id: 'late-1', customer_id: 'C7', event_type: 'login', event_time: GOOD.event_time }));
const json = (id: string): Buffer => Buffer.from(JSON.stringify({ ...GOOD, event_id: id }));
const ids: Record<string, string> = {};

t.test('letters are listed by reason and time, and shown', async (t) => {
  // The next ids that the registry will give: what a producer wrote whose registration got lost.
  ids['unknown'] = await bury('unknown_schema', later(1), { key: 'C7', headers: { trace: 'abc' } });
  ids['fixed'] = await bury('rule_broken', json('fixed'), { key: null });
  ids['broken'] = await bury('rule_broken', Buffer.from('{"event_id":""}'), { failedAt: Date.now() - 7 * DAY_MS });
  ids['late'] = await bury('too_late', json('late'));
  ids['empty'] = await bury('empty', null);
  ids['noise'] = await bury('bad_magic', Buffer.from([1, 2, 0x1b, 0x41]));
  await producer.send({ topic: TOPICS.deadLetters.name, messages: [{ key: 'x', value: 'not a dead letter', partition: 0 }] });

  const all = await output((write) => listLetters(settings, testLog, {}, 50, false, write));
  t.equal(all.trim().split('\n').length, 7);
  t.match(all.trim().split('\n')[0], /rule_broken .*because of rule_broken/, 'the oldest first');
  t.match(all, /6 dead letters: rule_broken 2, /);
  const recent = await output((write) => listLetters(settings, testLog, { reasons: ['rule_broken'], sinceMs: Date.now() - DAY_MS }, 50, true, write));
  t.match(JSON.parse(recent), { id: ids['fixed'], reason: 'rule_broken', key: null, source_topic: 'customer-events', redriven: false });
  t.match(await output((write) => listLetters(settings, testLog, {}, 2, false, write)), /the latest 2 are shown/);

  const [partition, offset] = ids['noise']!.split('-').map(Number);
  const page = await output((write) => showLetter(settings, testLog, partition!, offset!, write));
  t.match(page, /reason +bad_magic/);
  t.match(page, '00000000  01 02 1b 41');
  await t.rejects(showLetter(settings, testLog, 0, 9999, () => undefined), { code: 'NOT_FOUND' });
  await t.rejects(showLetter(settings, testLog, 77, 0, () => undefined), { code: 'NOT_FOUND' });
});

t.test('only what would be taken now goes back, untouched and once', async (t) => {
  const dry = await run({ dryRun: true });
  t.equal(dry.redriven, 1);
  t.same([...dry.stillBroken].sort(), [['bad_magic', 1], ['empty', 1], ['rule_broken', 1], ['too_late', 1], ['unknown_schema', 1]]);
  t.same(await sent(), [], 'a dry run writes nothing');

  t.match(await output((write) => redriveLetters(settings, testLog, { reasons: ['rule_broken'] }, { limit: Infinity, dryRun: false, force: false }, write)),
    /1 sent back to customer-events\nnot sent, they would fail again: rule_broken 1/);
  const [only, ...more] = await sent(1);
  t.same(more, []);
  t.ok(only!.value!.equals(json('fixed')) && only!.key === null);
  t.equal(only!.partition, 1, 'without a key to where it came from');
  t.equal(only!.headers[REDRIVE_HEADER]!.toString(), ids['fixed']);
  t.match(await run({ filter: { reasons: ['rule_broken'] } }), { redriven: 0, already: 1 }, 'never twice');
});

t.test('after the fix the rest goes back', async (t) => {
  const [registered] = await registerSubjects(createRegistry(settings, testLog), [{ subject: 'later-value', schema }]);
  t.equal(registered!.id, 1);
  t.match(await run(), { redriven: 1, already: 1 });
  const back = (await sent(2)).find(({ headers }) => headers[REDRIVE_HEADER]?.toString() === ids['unknown']);
  t.ok(back!.value!.equals(later(1)));
  t.equal(back!.key!.toString(), 'C7');
  t.equal(back!.partition, partitionOf('C7', 3));
  t.same(Object.entries(back!.headers).map(([name, value]) => [name, value.toString()]).sort(), [[REDRIVE_HEADER, ids['unknown']], ['trace', 'abc']], 'its own headers and the mark, not the reason');
  t.match(await output((write) => listLetters(settings, testLog, { reasons: ['unknown_schema'] }, 5, false, write)), 'unknown_schema*');

  t.match(await run({ force: true, filter: { ids: new Set([ids['late']!, ids['empty']!]) } }), { redriven: 2 }, 'force sends what would fail');
  t.ok((await sent(4)).some(({ value }) => value === null), 'a tombstone too');
});

t.test('many letters, two runs at once, one of them cut off: each goes back once', async (t) => {
  const before = (await sent()).length;
  const wanted = new Set<string>();
  const messages = Array.from({ length: 2600 }, (_, i) => ({
    key: `C${i}`, value: json(`bulk-${i}`), partition: i % 3,
    headers: deadLetterHeaders({ reason: 'undecodable', error: 'x' }, { topic: TOPICS.events.name, partition: i % 3, offset: source++, timestamp: 1 }, Date.now()),
  }));
  await producer.send({ topic: TOPICS.deadLetters.name, messages });
  const filter = { reasons: ['undecodable' as const] };
  await scanLetters(kafka, filter, ({ partition, record }) => { wanted.add(`${partition}-${record.offset}`); });
  t.equal(wanted.size, 2600);

  t.match(await run({ filter, limit: 700 }), { redriven: 700 });
  const results = await Promise.allSettled([run({ filter }), new Promise((resolve) => setTimeout(resolve, 60)).then(() => run({ filter }))]);
  // Cut off while its commit is on its way, a broker may answer with an error of its own instead of the fencing.
  for (const result of results) if (result.status === 'rejected') t.ok(['PRODUCER_FENCED', 'TRANSACTION_FAILED'].includes((result.reason as { code: string }).code), String(result.reason));
  t.comment(results.map(({ status }) => status).join(', '));
  await run({ filter });

  const back = (await sent(before + 2600)).slice(0).map(({ headers }) => headers[REDRIVE_HEADER]!.toString()).filter((id) => wanted.has(id));
  t.equal(back.length, 2600, 'none twice');
  t.same(new Set(back), wanted, 'none left');
  t.equal((await sent()).length, before + 2600);
  t.ok([...wanted].every((id) => ids[id] === undefined));
  const marked = await redrivenIds(kafka);
  t.ok([...wanted].every((id) => marked.has(id)));
});
