import t from 'tap';
import { avroType } from '../../../../runtime/registry/avro-type.js';
import { compileAvroWalk } from '../../../../runtime/registry/avro-walk.js';
import { seeded, seedOf } from '../../../support/random.js';

const SEED = seedOf(7);
const everything = {
  type: 'record', name: 'Everything', fields: [
    { name: 'nothing', type: 'null' }, { name: 'flag', type: 'boolean' }, { name: 'small', type: 'int' }, { name: 'large', type: 'long' },
    { name: 'single', type: 'float' }, { name: 'real', type: 'double' }, { name: 'blob', type: 'bytes' }, { name: 'text', type: 'string' },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } }, { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'list', type: { type: 'array', items: 'long' } }, { name: 'map', type: { type: 'map', values: ['null', 'string'] } },
    { name: 'next', type: ['null', 'Everything'] },
  ],
};
const holds = (schema: unknown, bytes: Buffer): boolean => {
  try {
    compileAvroWalk(avroType(schema))(bytes, 0, bytes.length);
    return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
};

t.test('whatever avsc writes is well-formed, and no shortened form of it is', async (t) => {
  t.comment(`TEST_SEED=${SEED}`);
  const random = seeded(SEED);
  const type = avroType(everything);
  const walk = compileAvroWalk(type);
  let faults = 0;
  for (let i = 0; i < 2000; i++) {
    const bytes = type.toBuffer(make(i % 3));
    walk(bytes, 0, bytes.length);
    const cut = random.below(bytes.length);
    try { walk(bytes, 0, cut); } catch { faults++; }
  }
  t.equal(faults, 2000);

  function make(depth: number): Record<string, unknown> {
    return {
      nothing: null, flag: random.chance(0.5), small: random.below(1e6) - 5e5, large: random.below(2 ** 50), single: random(), real: random(),
      blob: Buffer.alloc(random.below(5)), text: random.pick(['', 'a', 'ü€🛒']), hash: Buffer.alloc(4), kind: random.pick(['A', 'B']),
      list: Array.from({ length: random.below(4) }, () => -random.below(1e9)), map: random.chance(0.5) ? {} : { a: null, b: 'x' },
      next: depth === 0 ? null : make(depth - 1),
    };
  }
});

t.test('counts and lengths beyond the bytes end at once', async (t) => {
  const started = performance.now();
  const huge = 'feffffffffffffff7f';
  t.notOk(holds({ type: 'map', values: 'string' }, Buffer.from(`${huge}0261`, 'hex')), 'a map of 2^62 entries');
  t.notOk(holds({ type: 'array', items: 'null' }, Buffer.from(`${huge}00`, 'hex')), 'an array of 2^62 nulls');
  t.notOk(holds({ type: 'array', items: { type: 'array', items: 'null' } }, Buffer.from(`${'80'.repeat(9)}01`, 'hex')));
  t.notOk(holds('bytes', Buffer.from(huge, 'hex')));
  t.ok(holds({ type: 'array', items: 'null' }, Buffer.from('c80100', 'hex')), 'an array of 100 nulls');
  t.notOk(holds({ type: 'array', items: 'int' }, Buffer.from('0308020400', 'hex')), 'a block of another size');
  t.ok(holds({ type: 'array', items: 'int' }, Buffer.from('0304020400', 'hex')), 'a block with its size');
  t.ok(performance.now() - started < 2000, 'without counting them');
});

t.test('recursion is bounded', async (t) => {
  const chain = { type: 'record', name: 'Chain', fields: [{ name: 'next', type: ['null', 'Chain'] }] };
  t.ok(holds(chain, Buffer.from(`${'02'.repeat(60)}00`, 'hex')));
  t.notOk(holds(chain, Buffer.from(`${'02'.repeat(60_000)}00`, 'hex')));
});

t.test('a map keeps the key __proto__', async (t) => {
  const type = avroType({ type: 'map', values: 'string' });
  const bytes = Buffer.concat([Buffer.from([2, 18]), Buffer.from('__proto__'), Buffer.from([2, 0x78, 0])]);
  const value = type.fromBuffer(bytes) as Record<string, string>;
  t.same(Object.entries(value), [['__proto__', 'x']]);
  t.ok(type.toBuffer(value).equals(bytes));
});
