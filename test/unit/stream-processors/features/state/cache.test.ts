import t from 'tap';
import { StateCache, type Entry } from '../../../../../stream-processors/features/state/cache.js';

const entry = (id: string): Entry<number> => ({ id, state: 0, dirty: false, pending: 0 });

t.test('holds no more than its capacity, and the recent ones', async (t) => {
  const cache = new StateCache<number>(100);
  for (let i = 0; i < 10_000; i++) cache.add(entry(`c${i}`));
  t.ok(cache.size <= 101, `${cache.size}`);
  t.ok(cache.get('c9999'));
  t.notOk(cache.get('c1'));
});

t.test('what is used again stays', async (t) => {
  const cache = new StateCache<number>(100);
  cache.add(entry('loyal'));
  for (let i = 0; i < 1000; i++) {
    cache.add(entry(`c${i}`));
    t.equal(cache.get('loyal')?.id, 'loyal');
  }
});

t.test('what the store does not have yet is never dropped', async (t) => {
  const cache = new StateCache<number>(10);
  const dirty = { ...entry('dirty'), dirty: true };
  const pending = { ...entry('pending'), pending: 1 };
  cache.add(dirty);
  cache.add(pending);
  for (let i = 0; i < 1000; i++) cache.add(entry(`c${i}`));
  t.equal(cache.get('dirty'), dirty);
  t.equal(cache.get('pending'), pending);
  dirty.dirty = false;
  pending.pending = 0;
  for (let i = 0; i < 1000; i++) cache.add(entry(`d${i}`));
  t.same([cache.get('dirty'), cache.get('pending')], [undefined, undefined]);
});
