import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { createIdDeriver } from '../../../../../stream-processors/sources/replay/derived-id.js';
import { readItems, type Item } from '../../../../../stream-processors/sources/replay/items.js';
import { openEventFile, type FieldMap } from '../../../../../stream-processors/sources/replay/rows.js';
import { inOrder, scanFile } from '../../../../../stream-processors/sources/replay/scan.js';
import { sortItems } from '../../../../../stream-processors/sources/replay/sort.js';
import { seeded, seedOf } from '../../../../support/random.js';
import { sharedData } from '../../../../support/shared-data.js';

const LATEST = Date.UTC(2030, 0, 1);
let folder: string;
t.before(async () => { folder = await mkdtemp(join(tmpdir(), 'tidemark-files-')); });
t.teardown(() => rm(folder, { recursive: true, force: true }));

async function read(name: string, content: string | Buffer, map: FieldMap = {}): Promise<Item[]> {
  await writeFile(join(folder, name), content);
  const items: Item[] = [];
  for await (const block of readItems(await openEventFile(join(folder, name)), map, LATEST)) items.push(...block);
  return items;
}
const event = (item: Item | undefined): Record<string, unknown> => ({ ...item?.event });

t.test('CSV: quotes, line breaks, byte order mark, properties, other columns, lines counted', async (t) => {
  const items = await read('a.csv', '\ufeffevent_id,customer_id,event_type,amount,quantity,event_time,properties.page,extra\r\n' +
    'e1,"C,1",purchase,12.50,2,2024-01-01T00:00:00+02:00,home,x\r\n\r\ne2,C2,login,,,1704067200000,"two\nlines",y\r\ne3,C3,purchase,12x,,1704067200000,,\r\ne4,C4,login\r\n');
  t.match(event(items[0]), { event_id: 'e1', customer_id: 'C,1', amount: 12.5, quantity: 2, channel: 'web', event_time: Date.UTC(2023, 11, 31, 22), properties: { page: 'home' } });
  t.match(event(items[1]), { event_id: 'e2', amount: null, quantity: null, event_time: 1_704_067_200_000, properties: { page: 'two\nlines' } });
  t.same(items.map(({ line }) => line), [2, 4, 6, 7]);
  t.match(items[2], { event: undefined, customer_id: 'C3', problem: /amount.*finite number.*"12x"/, time_ms: 1_704_067_200_000 });
  t.match(items[3], { event: undefined, problem: /event_time/ });
  t.same(JSON.parse((items[2] as { raw: Buffer }).raw.toString()), { event_id: 'e3', customer_id: 'C3', event_type: 'purchase', amount: '12x', event_time: 1_704_067_200_000 });
});

t.test('columns under other names, constants; what is missing is said with what is there', async (t) => {
  const map: FieldMap = { customer_id: 'user', event_time: 'ts', event_type: '=purchase', amount: 'total' };
  const [first] = await read('b.csv', 'user,ts,total,properties\nU1,2024-01-01T00:00:00Z,5,"{""a"":""b""}"\n', map);
  t.match(event(first), { customer_id: 'U1', event_type: 'purchase', amount: 5, properties: { a: 'b' }, event_id: '' });
  await t.rejects(read('c.csv', 'user,ts\nU1,1\n'), { code: 'INPUT_INVALID', message: /no column customer_id, event_type, event_time among user, ts/ });
  await t.rejects(openEventFile(join(folder, 'none.csv')), { code: 'INPUT_INVALID', message: /none\.csv/ });
  await t.rejects(read('c.txt', 'x'), { code: 'INPUT_INVALID', message: /\.csv, \.ndjson/ });
});

t.test('NDJSON: broken lines as they stand, long ones cut, gzip by content, last line without an end', async (t) => {
  const good = '{"event_id":"e1","customer_id":"C1","event_type":"login","event_time":1704067200000}';
  const items = await read('a.ndjson.gz', gzipSync(`${good}\n\n{"broken\n[1]\n"${'x'.repeat(3_000_000)}"\n${good.replace('e1', 'e2')}`));
  t.same(items.map(({ line }) => line), [1, 3, 4, 5, 6]);
  t.same(items.map((item) => item.event?.event_id), ['e1', undefined, undefined, undefined, 'e2']);
  t.equal((items[1] as { raw: Buffer }).raw.toString(), '{"broken');
  t.equal((items[3] as { raw: Buffer }).raw.length, 1024 * 1024);
  await t.rejects(read('cut.ndjson.gz', gzipSync(good.repeat(100)).subarray(0, 60)), { code: 'INPUT_INVALID' }, 'a damaged file is an error, not an end');
});

t.test('sorting in runs on disk gives what sorting in memory gives, and leaves nothing behind', async (t) => {
  const random = seeded(seedOf(3));
  t.comment(`seed ${random.seed}`);
  const items: Item[] = Array.from({ length: 5000 }, (_, line) => {
    const time_ms = 1e12 + random.below(300);
    return random.chance(0.05)
      ? { time_ms, line, event: undefined, customer_id: null, raw: Buffer.from([random.below(256)]), problem: 'p' }
      : { time_ms, line, event: { event_id: `e${line}`, customer_id: 'C', event_type: 'login' as const, amount: null, quantity: null, channel: 'web', event_time: time_ms, properties: { a: 'ü' } } };
  });
  async function* source(): AsyncGenerator<Item[]> { for (let at = 0; at < items.length; at += 70) yield items.slice(at, at + 70); }
  const place = join(folder, 'sort');
  const sorted: Item[] = [];
  for await (const block of sortItems(source(), place, { run_items: 200, fan_in: 4 })) sorted.push(...block);
  t.same(sorted, [...items].sort(inOrder));
  t.same(await readdir(place), []);
});

t.test('derived ids tell apart what is said twice at one time, and do not depend on the rest', (t) => {
  const one = { event_id: '', customer_id: 'C', event_type: 'login' as const, amount: null, quantity: null, channel: 'web', event_time: 5, properties: { a: '1', b: '2' } };
  const ids = createIdDeriver();
  const [a, b, c] = [ids(one), ids({ ...one, properties: { b: '2', a: '1' } }), ids({ ...one, customer_id: 'D' })];
  t.match(a, /^r-[0-9a-f]{24}$/);
  t.equal(b, `${a}-1`);
  t.not(c, a);
  t.equal(createIdDeriver()(one), a);
  t.end();
});

t.test('a real history', async (t) => {
  const [csv, ndjson] = [sharedData('events/cdnow-events.csv'), sharedData('events/cdnow-events.ndjson.gz')];
  if (csv === undefined || ndjson === undefined) return;
  for (const path of [csv, ndjson])
    t.match(await scanFile(await openEventFile(path), {}, LATEST), { events: 6919, bad_rows: 0, sorted: true, from_ms: Date.UTC(1997, 0, 1), to_ms: Date.UTC(1998, 5, 30) });
});
