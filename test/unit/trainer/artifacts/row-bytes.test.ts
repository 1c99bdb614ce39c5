import t from 'tap';
import { rowBytes } from '../../../../trainer/artifacts/row-bytes.js';

t.test('rows in RowBinary: place, customer, moment, part, label and values bit for bit', async (t) => {
  const id = 'Zoë'.padEnd(200, 'x');
  const rows = {
    feature_names: ['a', 'b'], rows: 2, values: Float32Array.of(0.1, NaN, -0, 3.4e38), labels: Float32Array.of(1, 0),
    at: Float64Array.of(500, 1500), on_event: Uint8Array.of(0, 1), customer: Uint32Array.of(1, 0),
  };
  const plan = { train: { after: 0, to: 900 }, holdout: { after: 1000, to: 2000 }, inner: undefined, step_ms: 1, horizon_ms: 100 };
  const bytes = rowBytes({ rows, customer_ids: ['c', id], plan }, 0, 2);
  const text = Buffer.from(id);
  let at = 0;
  t.equal(bytes.readUInt32LE(at), 0);
  t.same([...bytes.subarray(4, 6)], [(text.length & 0x7f) | 0x80, text.length >> 7], 'length of an id beyond 127 bytes');
  t.same(bytes.subarray(at = 6, at += text.length), text);
  t.equal(bytes.readBigInt64LE(at), 500n);
  t.same([...bytes.subarray(at + 8, at += 11)], [0, 0, 1], 'a snapshot, to train on, churned');
  t.equal(bytes.readFloatLE(at), Math.fround(0.1));
  t.ok(Number.isNaN(bytes.readFloatLE(at + 4)));
  t.equal(bytes.readUInt32LE(at += 8), 1);
  t.same([...bytes.subarray(at + 4, at += 6)], [1, 'c'.charCodeAt(0)]);
  t.same([...bytes.subarray(at + 8, at += 11)], [1, 1, 0], 'an event, held out, stayed');
  t.ok(Object.is(bytes.readFloatLE(at), -0));
  t.equal(bytes.readFloatLE(at + 4), Math.fround(3.4e38));
  t.equal(bytes.length, at + 8);
  t.same(rowBytes({ rows, customer_ids: ['c', id], plan }, 1, 2), bytes.subarray(bytes.length - (4 + 2 + 11 + 8)), 'a part of them');
});
