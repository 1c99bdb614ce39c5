import t from 'tap';
import avsc from 'avsc';
import { customerActivity } from '../../../../schemas/features/customer-activity.js';
import { featureNames, featuresAvro, TRIGGERS } from '../../../../schemas/features/derive.js';
import { compileFeatureEncoder } from '../../../../schemas/features/encode.js';
import { seeded, seedOf } from '../../../support/random.js';
import { everyAggregate } from '../../../support/views.js';

const seed = seedOf(7);
t.comment(`TEST_SEED=${seed}`);

for (const view of [customerActivity, everyAggregate])
  t.test(`${view.name}: the bytes are avsc's`, async (t) => {
    const random = seeded(seed);
    const schemaId = 0x01020384;
    const type = avsc.Type.forSchema(featuresAvro(view) as never);
    const encoder = compileFeatureEncoder(view, schemaId);
    const names = featureNames(view);
    const buffer = Buffer.alloc(4096);
    const header = encoder.createHeader();
    const specials = [NaN, 0, -0, 1, -1.5, Infinity, Number.MIN_VALUE, 29.33, 2 ** 60];
    const times = [0, 1, 63, 64, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 1_767_225_600_123, 2 ** 52];
    const ids = ['', 'c-1', 'x'.repeat(128), 'Zoë', 'こんにちは', '🙂'.repeat(64), 'a\u007f'];
    let different = 0;
    for (let round = 0; round < 500; round++) {
      header.customerId = random.pick(ids);
      header.eventId = random.pick(ids);
      header.eventTimeMs = random.pick(times);
      header.trigger = random.below(2) as 0 | 1;
      header.producedMs = random.pick(times);
      header.committedMs = random.pick(times);
      header.channel = random.pick(ids);
      const vector = Float64Array.from({ length: names.length + 3 }, () => (random.chance(0.5) ? random.pick(specials) : random() * 1e4));
      const want = Buffer.concat([Buffer.from([0, 1, 2, 3, 0x84]), type.toBuffer({
        customer_id: header.customerId, event_id: header.eventId, event_time: header.eventTimeMs, trigger: TRIGGERS[header.trigger],
        view_version: view.version, produced_at: header.producedMs, committed_at: header.committedMs, channel: header.channel,
        ...Object.fromEntries(names.map((name, i) => [name, vector[3 + i]])),
      })]);
      if (round % 2 === 1) { header.customerId = Buffer.from(header.customerId); header.eventId = Buffer.from(header.eventId); header.channel = Buffer.from(header.channel); }
      const end = encoder.encode(header, vector, 3, buffer, 11);
      if (!buffer.subarray(11, end).equals(want) || end - 11 > encoder.bytesMax(header)) different++;
    }
    t.equal(different, 0);
  });

t.test('refuses a buffer that may be too short', async (t) => {
  const encoder = compileFeatureEncoder(customerActivity, 1);
  const header = encoder.createHeader();
  t.throws(() => encoder.encode(header, new Float64Array(20), 0, Buffer.alloc(100), 0), { name: 'RangeError', message: /buffer of 100/ });
});
