import { Registry } from 'prom-client';
import t from 'tap';
import { Log } from '../../../../runtime/log.js';
import { watchStages } from '../../../../trainer/run/metrics.js';
import { startRun, type RunStore, type StageRow } from '../../../../trainer/run/run.js';

function recorded(): { store: RunStore; stages: StageRow[]; runs: unknown[]; lines: Record<string, unknown>[]; log: Log } {
  const [stages, runs, lines]: [StageRow[], unknown[], Record<string, unknown>[]] = [[], [], []];
  return {
    stages, runs, lines, log: new Log('trainer', 'info', (line) => void lines.push(JSON.parse(line) as Record<string, unknown>)),
    store: { stage: async (row) => void stages.push(row), run: async (status, facts) => void runs.push({ status, ...facts }) },
  };
}

t.test('each stage has a line, a duration, a metric and a row', async (t) => {
  const { store, stages, lines, log, runs } = recorded();
  const register = new Registry();
  const stop = watchStages(register);
  const run = startRun('r1', log, store);
  await run.note('running');
  t.equal(await run.stage('fetch', async () => 42, (found) => ({ found })), 42);
  await t.rejects(run.stage('validate', async () => { throw new Error('too few'); }), /too few/);
  await run.note('failed', { error: 'too few', data_rows: 3 });
  await run.note('failed', { version: 'v' });
  stop();
  t.match(stages, [
    { ordinal: 1, stage: 'fetch', status: 'running' }, { ordinal: 1, stage: 'fetch', status: 'done', detail: { found: 42 }, error: '' },
    { ordinal: 2, stage: 'validate', status: 'running' }, { ordinal: 2, stage: 'validate', status: 'failed', error: 'too few' },
  ]);
  t.match(lines.map(({ event, stage }) => [event, stage ?? '']), [['training_run', ''], ['stage_started', 'fetch'], ['stage_done', 'fetch'], ['stage_started', 'validate'], ['stage_failed', 'validate'], ['training_run', ''], ['training_run', '']]);
  t.same(runs, [{ status: 'running' }, { status: 'failed', error: 'too few', data_rows: 3 }, { status: 'failed', error: 'too few', data_rows: 3, version: 'v' }], 'what was noted stays');
  const text = await register.metrics();
  t.match(text, /tidemark_trainer_stage_seconds_count\{stage="fetch",status="done"\} 1/);
  t.match(text, /tidemark_trainer_stage_seconds_count\{stage="validate",status="failed"\} 1/);
});
