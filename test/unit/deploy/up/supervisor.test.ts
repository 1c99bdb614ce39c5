import t from 'tap';
import { type Running, supervise } from '../../../../deploy/up/supervisor.js';
import type { RestartPolicy } from '../../../../deploy/up/core/restart.js';
import { Log } from '../../../../runtime/log.js';

const policy: RestartPolicy = { window_ms: 60_000, exits_max: 3, delay_ms_min: 1, delay_ms_max: 1 };
const log = new Log('test', 'error', () => {});

/** A part whose ends the test decides. */
function part() {
  const ends: ((how: string) => void)[] = [];
  let stops = 0;
  const start = async (): Promise<Running> => {
    const exited = new Promise<string>((resolve) => { ends.push(resolve); });
    const end = ends.at(-1)!;
    return { pid: ends.length, exited, stop: async () => { stops++; end('stopped'); }, lastWords: () => 'no space left' };
  };
  return { start, ends, get stops() { return stops; } };
}
const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 2000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
};

t.test('a part that ends is started again; one that keeps ending is given up with its last words', async (t) => {
  const it = part();
  const said: string[] = [];
  let failure: unknown;
  const supervised = await supervise({ name: 'scorer', start: it.start, log, policy, say: (line) => said.push(line), fail: (error) => { failure = error; } });
  t.equal(supervised.pid, 1);
  it.ends[0]!('signal SIGKILL');
  await until(() => supervised.pid === 2);
  it.ends[1]!('exit code 1');
  await until(() => supervised.pid === 3);
  t.equal(supervised.restarts, 2);
  t.equal(failure, undefined);
  it.ends[2]!('exit code 1');
  await until(() => failure !== undefined);
  t.match((failure as Error).message, /scorer ended 3 times within 60 s \(last: exit code 1\).*no space left/);
  t.equal(it.ends.length, 3, 'not started a fourth time');
  t.same(said, ['scorer ended (signal SIGKILL); starting it again in 1 ms', 'scorer ended (exit code 1); starting it again in 1 ms']);
});

t.test('a start that fails counts as an end', async (t) => {
  const it = part();
  let starts = 0;
  let failure: unknown;
  await supervise({
    name: 'landing', log, policy, say: () => {}, fail: (error) => { failure = error; },
    start: () => (starts++ === 0 ? it.start() : Promise.reject(new Error('port taken'))),
  });
  it.ends[0]!('exit code 1');
  await until(() => failure !== undefined);
  t.match((failure as Error).message, /last: port taken/);
  t.equal(starts, 3);
});

t.test('a stop is not answered with a start, also while one is waited for', async (t) => {
  const it = part();
  const slow = { ...policy, delay_ms_min: 60_000, delay_ms_max: 60_000 };
  const running = await supervise({ name: 'a', start: it.start, log, policy, say: () => {}, fail: (error) => t.fail(String(error)) });
  await running.stop();
  t.equal(it.ends.length, 1);
  t.equal(it.stops, 1);

  const other = part();
  const waiting = await supervise({ name: 'b', start: other.start, log, policy: slow, say: () => {}, fail: (error) => t.fail(String(error)) });
  other.ends[0]!('exit code 1');
  await new Promise((resolve) => setTimeout(resolve, 5));
  await waiting.stop();
  t.equal(other.ends.length, 1, 'the start that waited did not happen');
});
