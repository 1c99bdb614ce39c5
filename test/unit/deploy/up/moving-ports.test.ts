import { createServer, type Server } from 'node:net';
import t from 'tap';
import { movingPorts } from '../../../../deploy/up/moving-ports.js';
import { TidemarkError } from '../../../../runtime/errors.js';
import { freePort } from '../../../../runtime/ports.js';

const listen = (port: number): Promise<Server> => new Promise((resolve, reject) => {
  const server = createServer().once('error', () => reject(new TidemarkError('PORT_TAKEN', `port ${port}`))).listen(port, '127.0.0.1', () => resolve(server));
});
const close = (server: Server): Promise<void> => new Promise((resolve) => { server.close(() => resolve()); });

t.test('a port that is taken between choosing and listening: another one with --auto-ports, an error without', async (t) => {
  const chosen = await freePort();
  const thief = await listen(chosen);
  const ports = movingPorts(true);
  const begin = (): Promise<Server> => listen(Number(ports.moved['SCORER_PORT'] ?? chosen));
  const server = await ports.start('SCORER_PORT', begin);
  t.not(Number(ports.moved['SCORER_PORT']), chosen);
  t.same((server.address() as { port: number }).port, Number(ports.moved['SCORER_PORT']));
  await t.rejects(ports.start('SCORER_PORT', begin), { code: 'PORT_TAKEN' }, 'once it has started its port stays, since others know it');
  const fixed = movingPorts(false);
  await t.rejects(fixed.start('SCORER_PORT', () => listen(chosen)), { code: 'PORT_TAKEN' });
  t.same(fixed.moved, {});
  await Promise.all([close(server), close(thief)]);
});

t.test('only a taken port is a reason, in the words of a process that ended too, and not for ever', async (t) => {
  let tries = 0;
  const failing = (message: string) => (): Promise<never> => { tries++; return Promise.reject(new TidemarkError('PART_NOT_READY', message)); };
  await t.rejects(movingPorts(true).start('KAFKA_PORT', failing('Kafka ended while starting; its log ends with: java.net.BindException: Address already in use')), { code: 'PART_NOT_READY' });
  t.equal(tries, 5);
  await t.rejects(movingPorts(true).start('SCORER_PORT', failing('scorer ended while starting (exit code 1); ends with: {"event":"failed","code":"PORT_TAKEN"}')));
  t.equal(tries, 10);
  await t.rejects(movingPorts(true).start('KAFKA_PORT', failing('Kafka ended while starting: out of memory')));
  t.equal(tries, 11);
});
