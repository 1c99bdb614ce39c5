import { createServer } from 'node:net';
import t from 'tap';
import { freePort, isListening } from '../../../runtime/ports.js';

t.test('who waits for a port never stands in the way of the one that is to listen there', async (t) => {
  const port = await freePort();
  t.equal(await isListening(port), false);
  let asked = 0;
  let waiting = true;
  const ask = async (): Promise<void> => { while (waiting) { await isListening(port); asked++; } };
  const askers = Array.from({ length: 4 }, ask);
  const failures: string[] = [];
  let seen = 0;
  for (let round = 0; round < 100; round++) {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.once('error', ({ message }) => { failures.push(message); resolve(); });
      server.listen(port, '127.0.0.1', resolve);
    });
    if (await isListening(port)) seen++;
    await new Promise((resolve) => server.close(resolve));
  }
  waiting = false;
  await Promise.all(askers);
  t.same(failures, []);
  t.equal(seen, 100);
  t.ok(asked > 100, `asked ${asked} times`);
});
