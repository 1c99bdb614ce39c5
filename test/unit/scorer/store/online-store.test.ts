import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openOnlineStore, readOnline, type OnlineStore } from '../../../../scorer/store/online-store.js';
import { random } from '../../../support/random.js';

const value = (partition: number, n: number): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 8]), Buffer.from(`${partition}-${n}`)]);

function setUp(t: Test): { folder: string; open: (layout?: string, clusterId?: string) => Promise<OnlineStore> } {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, open: (layout = 'l', clusterId = 'k') => openOnlineStore({ folder, layout: { layout }, clusterId }) };
}

t.test('the latest of each customer, with the position, after a restart too', async (t) => {
  const { folder, open } = setUp(t);
  const seed = 42;
  t.comment(`seed ${seed}`);
  const next = random(seed);
  const expected = new Map<string, Buffer | null>();
  let store = await open();
  for (let batch = 0; batch < 60; batch++) {
    const entries = Array.from({ length: Math.floor(next() * 40) }, (_, i) => {
      const customerId = `customer-${Math.floor(next() * 200)}`;
      const latest = next() < 0.05 ? null : value(1, batch * 100 + i);
      expected.set(customerId, latest);
      return { customerId, value: latest };
    });
    await store.put(1, batch * 100, entries);
    if (batch % 20 === 10) {
      await store.close();
      store = await open();
    }
    if (batch % 7 === 0) for (const [id, latest] of expected) if (!(store.get(id) ?? Buffer.from('none')).equals(latest ?? Buffer.from('none'))) t.fail(`${id} in batch ${batch}`);
  }
  t.equal(store.position(1), 5900);
  t.equal(store.position(2), undefined);
  await store.flushed();
  t.equal(store.stats().customers, [...expected.values()].filter((latest) => latest !== null).length);
  const [[id, latest]] = [...expected].filter(([, one]) => one !== null) as [[string, Buffer]];
  const layout = { layout: 'l' };
  t.ok((await readOnline({ folder, layout }, id))?.equals(latest), 'read beside the process that has it open');
  t.equal(await readOnline({ folder, layout }, 'nobody'), undefined);
  await t.rejects(readOnline({ folder, layout: { layout: 'm' } }, id), { code: 'STATE_VERSION_UNKNOWN' });
  await store.close();
});

t.test('a partition whose topic was made anew is forgotten, the others stay', async (t) => {
  const { open } = setUp(t);
  const store = await open();
  await store.put(1, 10, [{ customerId: 'a', value: value(1, 1) }, { customerId: 'b', value: value(1, 2) }]);
  await store.put(12, 20, [{ customerId: 'c', value: value(12, 1) }]);
  await store.forget(1);
  t.strictSame([store.get('a'), store.get('b'), store.position(1)], [undefined, undefined, undefined]);
  t.ok(store.get('c'));
  t.equal(store.position(12), 20);
  await store.close();
});

t.test('another layout or another cluster empties it', async (t) => {
  const { open } = setUp(t);
  for (const [layout, cluster, kept] of [['l', 'k', false], ['l', 'k', true], ['m', 'k', false], ['m', 'other', false]] as const) {
    const store = await open(layout, cluster);
    t.equal(store.get('a') !== undefined, kept, `${layout} ${cluster}`);
    t.equal(store.position(0) !== undefined, kept);
    await store.put(0, 5, [{ customerId: 'a', value: value(0, 1) }]);
    await store.close();
  }
});
