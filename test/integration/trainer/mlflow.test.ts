import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { Log } from '../../../runtime/log.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { decide } from '../../../runtime/models/decide.js';
import { freePort } from '../../../runtime/ports.js';
import { loadSettings, type Settings } from '../../../runtime/settings.js';
import type { LedgerEntry } from '../../../schemas/events/ledger-entry.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { ledgerEntry, type LedgerDraft } from '../../../schemas/ledger/entry.js';
import { connectDecider } from '../../../trainer/gate/connect.js';
import { createMlflow } from '../../../trainer/mlflow/client.js';
import { followMlflow, syncMlflow, trySyncMlflow } from '../../../trainer/mlflow/sync.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { startMlflow } from '../../support/mlflow-server.js';
import { logisticModel, type LogisticModel } from '../../support/onnx.js';
import { pythonTools, QUIET_ENV } from '../../support/python.js';
import { until } from '../../support/wait.js';

t.setTimeout(400_000);
const tools = await pythonTools();
t.test('MLflow', { skip: 'missing' in tools ? tools.missing : false }, async (t) => {
  if ('missing' in tools) return;
  const { env, dataDir } = await startCluster(t, { kafka: true, registry: true });
  const uri = await startMlflow(t, tools);
  const with_uri = (address: string): Settings => loadSettings({ ...env, MLFLOW_TRACKING_URI: address, MLFLOW_SYNC_INTERVAL_S: '1' });
  const settings = with_uri(uri);
  const kafka = createKafka(settings, testLog);
  const decider = await connectDecider(settings, testLog);
  const client = createMlflow(settings);
  const names = ['20260101T000000Z-0000000a', '20260102T000000Z-0000000b', '20260103T000000Z-0000000c'] as const;
  const models = names.map((version, i) => logisticModel(view, version, i + 1, {
    stage: 'candidate', metrics: { auc: 0.7 + i / 100, 'lift top 10%': 2, nothing: NaN }, parameters: { seed: String(i), eta: '0.1' }, dataset_id: `set-${i}`, card: JSON.stringify({ note: 'a card' }),
  }));
  let at = 1_770_000_000_000;
  const entry = (draft: Pick<LedgerDraft, 'version' | 'action'> & Partial<LedgerDraft>): LedgerEntry => ledgerEntry({ model: 'churn', at: at++, by: 'user:test', ...draft }, String(at));
  const tell = (drafts: Parameters<typeof entry>[0][], model?: LogisticModel) =>
    decide(decider, 'churn', () => ({ entries: drafts.map(entry), ...(model === undefined ? {} : { version: { manifest: model.manifest, onnx: model.onnx } }) }));
  const aliases = async (): Promise<Record<string, string>> => {
    const { registered_model } = (await client.get('registered-models/get', { name: 'churn' })) as { registered_model: { aliases?: { alias: string; version: string }[] } };
    return Object.fromEntries((registered_model.aliases ?? []).map(({ alias, version }) => [alias, version]));
  };
  const runs = async (): Promise<{ info: { run_id: string; run_name: string; status: string; artifact_uri: string }; data: { params: unknown[]; metrics: { key: string; value: number }[]; tags: unknown[] } }[]> => {
    const { experiment } = (await client.get('experiments/get-by-name', { experiment_name: 'tidemark' })) as { experiment: { experiment_id: string } };
    return (await client.send('POST', 'runs/search', { experiment_ids: [experiment.experiment_id] }))!['runs'] as never;
  };

  t.test('while it is away, an attempt ends soon, says so and fails nothing', async (t) => {
    const lines: string[] = [];
    await trySyncMlflow(with_uri(`http://127.0.0.1:${await freePort()}`), new Log('test', 'info', (line) => void lines.push(line)), 5000);
    t.match(lines.join(''), /"mlflow_waits".*MLFLOW_TRACKING_URI/);
    await tell([{ version: names[0], action: 'registered' }, { version: names[0], action: 'promoted', champion: names[0] }], models[0]);
  });

  t.test('each version is a run and a registered version with the model’s bytes; what was published meanwhile too', async (t) => {
    await tell([{ version: names[1], action: 'registered' }, { version: names[1], action: 'shadow' }], models[1]);
    t.same(await syncMlflow(settings, testLog, kafka), { logged: names.slice(0, 2), aliases: ['champion 1', 'challenger 2'], complete: true });
    t.same(await aliases(), { champion: '1', challenger: '2' });
    const [second, first] = await runs();
    t.match(first, { info: { run_name: names[0], status: 'FINISHED' }, data: { params: [{ key: 'family', value: 'logistic_regression' }] } });
    t.match(Object.fromEntries(second!.data.metrics.map(({ key, value }) => [key, value])), { auc: 0.71, 'lift top 10_': 2 });
    t.equal(second!.data.metrics.length, 2, 'a metric without a value is left out');
    const path = second!.info.artifact_uri.slice('mlflow-artifacts:/'.length);
    const file = async (name: string): Promise<Buffer> => Buffer.from(await (await fetch(`${uri}/api/2.0/mlflow-artifacts/artifacts/${path}/${name}`)).arrayBuffer());
    t.ok((await file('model/model.onnx')).equals(models[1]!.onnx));
    t.equal((await file('card.json')).toString(), models[1]!.manifest.card);
    t.same(await syncMlflow(settings, testLog, kafka), { logged: [], aliases: [], complete: true }, 'nothing twice');
  });

  t.test('MLflow’s own client finds the champion by its alias and reads the model', async (t) => {
    const program = `
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
folder = mlflow.artifacts.download_artifacts('models:/churn@champion', dst_path=sys.argv[2])
model = mlflow.models.Model.load(folder)
assert sorted(model.flavors) == ['onnx', 'python_function'], model.flavors
assert model.signature.inputs.inputs[0].shape == (-1, int(sys.argv[3])), model.signature
print(folder)`;
    const { stdout } = await promisify(execFile)(tools.python, ['-c', program, uri, join(dataDir, 'downloaded'), String(view.features.length)], { env: { ...QUIET_ENV, MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false' } });
    t.ok((await readFile(join(stdout.trim(), 'model.onnx'))).equals(models[0]!.onnx));
  });

  t.test('an attempt cut short is completed: the run it left is used', async (t) => {
    await client.send('DELETE', 'model-versions/delete', { name: 'churn', version: '2' });
    t.same((await syncMlflow(settings, testLog, kafka)).logged, [names[1]]);
    t.equal((await runs()).length, 2);
    t.equal((await aliases())['challenger'], '3');
  });

  t.test('aliases follow the ledger as it grows: promoted, rolled back, refused', async (t) => {
    const following = followMlflow(settings, testLog);
    t.teardown(() => following.stop());
    const reaches = async (want: Record<string, string>): Promise<void> => {
      await until(JSON.stringify(want), async () => JSON.stringify(Object.entries(await aliases()).sort()) === JSON.stringify(Object.entries(want).sort()), 30_000);
    };
    await tell([{ version: names[1], action: 'promoted', champion: names[1] }]);
    await reaches({ champion: '3' });
    await tell([{ version: names[2], action: 'registered' }, { version: names[2], action: 'canary', share: 0.1 }], models[2]);
    await reaches({ challenger: '4', champion: '3' });
    await tell([{ version: names[2], action: 'refused' }, { version: names[1], action: 'rolled_back', champion: names[0] }]);
    await reaches({ champion: '1' });
    t.equal((await runs()).length, 3);
  });
});
