import t from 'tap';
import { createShutdown, STAGES } from '../../../../deploy/up/shutdown.js';

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

t.test('stages end in their order whatever the order of starting; one that fails does not keep the rest', async (t) => {
  const shutdown = createShutdown();
  const order: string[] = [];
  for (const stage of [...STAGES].reverse()) shutdown.add(stage, stage, async () => { await tick(); order.push(stage); });
  shutdown.add('services', 'second service', async () => { order.push('second service'); await tick(); throw new Error('no answer'); });
  const said: string[] = [];
  t.equal(await shutdown.run((line) => said.push(line)), false);
  t.same(order, ['console', 'source', 'second service', 'services', ...STAGES.slice(3)]);
  t.same(said, ['stopping second service: no answer']);
  t.equal(await createShutdown().run(() => {}), true);
});
