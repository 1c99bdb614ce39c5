import { createServer } from 'node:net';
import t from 'tap';
import { choosePorts } from '../../../../deploy/up/choose-ports.js';
import { freePort, isPortFree } from '../../../support/ports.js';

t.test('a taken port is an error that names the variable and, on Linux, the owner; --auto-ports takes another', async (t) => {
  const taken = await freePort();
  const server = createServer().listen(taken, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const other = await freePort();
  const wishes = [
    { variable: 'KAFKA_PORT', what: 'Kafka', port: taken },
    { variable: 'SCORER_PORT', what: 'scorer', port: other },
    { variable: 'CLICKHOUSE_PORT', what: 'ClickHouse', port: other },
  ];
  const error = await choosePorts(wishes, false).then(() => undefined, (reason: Error & { code: string }) => reason);
  t.equal(error?.code, 'PORT_TAKEN');
  t.match(error?.message, new RegExp(`Kafka: port ${taken} is taken.*set KAFKA_PORT`));
  if (process.platform === 'linux') t.match(error?.message, new RegExp(`process ${process.pid}`));
  t.match(error?.message, new RegExp(`ClickHouse: port ${other} is taken by SCORER_PORT of this start; set CLICKHOUSE_PORT`), 'both at once');

  const chosen = await choosePorts(wishes, true);
  t.equal(chosen['SCORER_PORT'], other);
  t.equal(new Set(Object.values(chosen)).size, 3, 'all different');
  t.not(chosen['KAFKA_PORT'], taken);
  t.equal(await isPortFree(taken), false);
});
