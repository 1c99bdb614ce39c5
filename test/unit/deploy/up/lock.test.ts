import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockDataFolder } from '../../../../deploy/up/lock.js';
import { readEndpoints, removeEndpoints, settingsOfRunning, writeEndpoints } from '../../../../deploy/endpoints.js';

/** A process that has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

t.test('one system a data folder; the lock of a killed one is taken over', (t) => {
  const dataDir = t.testdir({});
  const file = join(dataDir, 'up.lock');
  const lock = lockDataFolder(dataDir);
  t.equal(lock.afterKill, false);
  t.equal(readFileSync(file, 'utf8'), String(process.pid));
  lock.release();
  t.notOk(existsSync(file));
  writeFileSync(file, String(process.ppid));
  t.throws(() => lockDataFolder(dataDir), { code: 'REQUIREMENT_MISSING', message: new RegExp(`in use by tidemark up, process ${process.ppid}`) });
  for (const leftover of [String(deadPid()), '']) {
    writeFileSync(file, leftover);
    const taken = lockDataFolder(dataDir);
    t.equal(taken.afterKill, true);
    taken.release();
  }
  t.end();
});

t.test('other commands find a running system, and not one that has ended; the environment stands above it', (t) => {
  const dataDir = t.testdir({});
  t.equal(readEndpoints(dataDir), undefined);
  writeEndpoints(dataDir, { KAFKA_BROKERS: '127.0.0.1:1', SCORER_PORT: '1234' });
  t.match(settingsOfRunning({ DATA_DIR: dataDir }), { KAFKA_BROKERS: '127.0.0.1:1', SCORER_PORT: 1234 });
  t.match(settingsOfRunning({ DATA_DIR: dataDir, KAFKA_BROKERS: 'mine:2' }), { KAFKA_BROKERS: 'mine:2', SCORER_PORT: 1234 });
  const file = join(dataDir, 'endpoints.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(String(process.pid), String(deadPid())));
  t.equal(settingsOfRunning({ DATA_DIR: dataDir }).KAFKA_BROKERS, undefined);
  removeEndpoints(dataDir);
  t.notOk(existsSync(file));
  t.end();
});
