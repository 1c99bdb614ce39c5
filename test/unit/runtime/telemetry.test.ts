import t from 'tap';
import { createMetrics, healthOf, healthWithin, startTelemetry, type HealthReport } from '../../../runtime/telemetry.js';
import { freePort } from '../../support/ports.js';

t.test('the worst dependency decides', (t) => {
  t.equal(healthOf({}).status, 'up');
  t.equal(healthOf({ a: { status: 'up' }, b: { status: 'degraded' } }).status, 'degraded');
  t.equal(healthOf({ a: { status: 'down' }, b: { status: 'degraded' } }).status, 'down');
  t.end();
});

t.test('a report that fails or hangs is a report that says so', async (t) => {
  t.match(await healthWithin(() => Promise.reject(new Error('no broker'))), { status: 'down', dependencies: { report: { detail: 'no broker' } } });
  t.match(await healthWithin(() => new Promise(() => {}), 5), { status: 'down', dependencies: { report: { detail: /within 5 ms/ } } });
});

t.test('/health and /metrics of a process, 503 when it is down', async (t) => {
  let report: HealthReport = healthOf({ kafka: { status: 'up', detail: '4 partitions' } });
  const metrics = createMetrics('landing');
  const telemetry = await startTelemetry({ port: await freePort(), service: 'landing', metrics, health: () => Promise.resolve(report) });
  t.teardown(() => telemetry.stop());
  const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${telemetry.port}${path}`, init);
  const healthy = await at('/health?verbose=1');
  t.equal(healthy.status, 200);
  t.same(await healthy.json(), { service: 'landing', status: 'up', dependencies: { kafka: { status: 'up', detail: '4 partitions' } } });
  report = healthOf({ kafka: { status: 'down' } });
  t.equal((await at('/health')).status, 503);
  const text = await (await at('/metrics')).text();
  t.match(text, /process_cpu_user_seconds_total\{service="landing"\} /);
  t.equal((await at('/')).status, 404);
  t.equal((await at('/health', { method: 'POST' })).status, 404);
  await t.rejects(startTelemetry({ port: telemetry.port, service: 'other', health: () => Promise.resolve(report) }), { code: 'PORT_TAKEN', message: /port \d+ on 127\.0\.0\.1 is taken/ });
});
