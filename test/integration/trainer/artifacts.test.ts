import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { listingOf } from '../../../runtime/artifacts/core/dvc.js';
import { openArtifacts } from '../../../runtime/artifacts/store.js';
import { getTreeFile } from '../../../runtime/artifacts/tree.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { readStoredModel } from '../../../runtime/models/stored.js';
import { loadSettings } from '../../../runtime/settings.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { sha256 } from '../../../trainer/artifacts/dataset-manifest.js';
import { datasetTree, storeDataset, storeModel } from '../../../trainer/artifacts/store.js';
import { planFor, readDataset, readHistory, type Dataset } from '../../../trainer/dataset/read.js';
import { RowBinaryReader } from '../../../trainer/dataset/row-binary.js';
import { startCluster } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import { shopHistory } from '../../support/history.js';
import { logisticModel } from '../../support/onnx.js';
import { pythonTools, QUIET_ENV } from '../../support/python.js';
import { startS3 } from '../../support/s3-server.js';

const SEED = Number(process.env['SEED'] ?? 6);
t.setTimeout(400_000);
t.comment(`SEED=${SEED}`);
const run = promisify(execFile);
const { settings, env, dataDir } = await startCluster(t, { clickhouse: true, settings: { LABEL_HORIZON_DAYS: '14' } });
const client = createClickHouse(settings);
t.teardown(() => client.close());
await migrate(client, settings);
const records = shopHistory({ seed: SEED, customers: 80, days: 100 });
await insertEvents(client, records);
const options = { client, settings, view };
const set: Dataset = await readDataset(options, planFor(await readHistory(options), settings));
const root = join(dataDir, 'artifacts');
const tools = await pythonTools();
const python = 'python' in tools ? tools.python : '';
const skip = 'missing' in tools ? tools.missing : false;
let dataset_id = '';
interface Manifest {
  rows: number; rows_train: number; rows_holdout: number; data_hash: string; watermark: number; events: number;
  ranges: { partition: number; from_offset: number; to_offset: number; events: number }[];
  query: { sha256: string; parameters: Record<string, string | number> }; files: { path: string; sha256: string; rows: number }[];
}
let manifest: Manifest;
const file = async (name: string): Promise<Buffer> => (await getTreeFile(openArtifacts(settings), datasetTree(dataset_id), name))!;

t.test('a training set is stored under the hash of its manifest, which says what it was made from', async (t) => {
  ({ dataset_id } = await storeDataset(settings, view, set));
  const text = (await file('manifest.json')).toString();
  t.equal(sha256(text), dataset_id);
  manifest = JSON.parse(text) as Manifest;
  t.equal(manifest.rows, set.rows.rows);
  t.equal(manifest.rows_train + manifest.rows_holdout, manifest.rows);
  t.equal(manifest.data_hash, set.data_hash);
  t.equal(manifest.watermark, Math.max(...records.map(({ event_time }) => event_time)));
  t.equal(manifest.events, records.length);
  const partitions = [...new Set(records.map(({ kafka_partition }) => kafka_partition))].sort((a, b) => a - b);
  t.match(manifest.ranges, partitions.map((partition) => {
    const offsets = records.filter((record) => record.kafka_partition === partition).map(({ kafka_offset }) => kafka_offset);
    return { partition, events: offsets.length, from_offset: Math.min(...offsets), to_offset: Math.max(...offsets) + 1 };
  }));
  t.equal(manifest.query.sha256, sha256((await file('query.sql')).toString()));
});

t.test('its Parquet holds the rows bit for bit, and its query makes them again', async (t) => {
  const columns = set.rows.feature_names.map((name) => `${name} Float32`).join(', ');
  await client.command({ query: `CREATE TABLE back (customer_id String, at DateTime64(3, 'UTC'), on_event Bool, part String, churned UInt8, ${columns}) ENGINE = Memory` });
  for (const { path } of manifest.files) {
    const { stream } = await client.exec({ query: 'INSERT INTO back FORMAT Parquet', values: Readable.from([await file(path)], { objectMode: false }) });
    for await (const _ of stream);
  }
  const read = async (query: string, query_params: Record<string, string | number>): Promise<ReturnType<RowBinaryReader['end']>> => {
    const reader = new RowBinaryReader(set.rows.feature_names, '');
    const { stream } = await client.exec({ query: `${query} FORMAT RowBinary`, query_params });
    for await (const chunk of stream as AsyncIterable<Buffer>) reader.push(chunk);
    return reader.end();
  };
  const bits = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const stored = await read(`SELECT customer_id, toInt64(toUnixTimestamp64Milli(at)), toUInt8(on_event), churned, ${set.rows.feature_names.join(', ')} FROM back`, {});
  t.equal(stored.rows.rows, set.rows.rows);
  t.ok(bits(stored.rows.values).equals(bits(set.rows.values)), 'values');
  t.same(stored.rows.at, set.rows.at);
  t.same(stored.rows.labels, set.rows.labels);
  t.same(stored.rows.on_event, set.rows.on_event);
  t.same(stored.customer_ids, set.customer_ids);
  const held = await client.query({ query: "SELECT countIf(part = 'holdout') AS n, min(if(part = 'holdout', at, NULL)) > max(if(part = 'train', at, NULL)) AS later FROM back", format: 'JSONEachRow' });
  t.same(await held.json(), [{ n: String(manifest.rows_holdout), later: 1 }]);

  const [create, select] = (await file('query.sql')).toString().split(';\n').map((statement) => statement.trim());
  await client.command({ query: create!, query_params: manifest.query.parameters });
  const again = await read(select!, manifest.query.parameters);
  await client.command({ query: 'DROP TABLE training_events' });
  t.equal(again.data_hash, (await read('SELECT customer_id, toInt64(toUnixTimestamp64Milli(at)), toUInt8(on_event), churned, ' + `${set.rows.feature_names.join(', ')} FROM back`, {})).data_hash);
});

t.test('stored again, nothing changes; one that was cut short is completed', async (t) => {
  const files = async (): Promise<[string, number][]> => Promise.all((await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    .map(async (entry) => [join(entry.parentPath, entry.name).slice(root.length), (await stat(join(entry.parentPath, entry.name))).mtimeMs] as [string, number]));
  const before = (await files()).filter(([path]) => path.startsWith('/files')).sort();
  t.equal((await storeDataset(settings, view, set)).dataset_id, dataset_id);
  t.same((await files()).filter(([path]) => path.startsWith('/files')).sort(), before);
  t.equal((await files()).length, before.length + 1, 'and the pointer');
  await rm(join(root, before[0]![0]));
  await rm(join(root, `${datasetTree(dataset_id)}.dvc`));
  t.equal(await getTreeFile(openArtifacts(settings), datasetTree(dataset_id), 'manifest.json'), undefined, 'without its pointer it is not there');
  await storeDataset(settings, view, set);
  t.same((await files()).map(([path]) => path).filter((path) => path.startsWith('/files')).sort(), before.map(([path]) => path));
});

const model = logisticModel(view, '20260101T000000Z-00000001', 3, { card: '{"decision":"promoted"}' });
t.test('a model is stored the same way, and damage is noticed', async (t) => {
  await storeModel(settings, model.manifest, model.onnx, '# Card\n');
  const back = await readStoredModel(settings, model.manifest);
  t.same(back?.manifest, model.manifest);
  t.ok(back?.onnx.equals(model.onnx));
  t.equal(await readStoredModel(settings, { model: 'churn', version: 'none' }), undefined);
  const key = join(root, 'files', 'md5');
  const damaged = (await Promise.all((await readdir(key, { recursive: true })).map(async (name) => [join(key, name), await readFile(join(key, name)).catch(() => Buffer.alloc(0))] as const)))
    .find(([, bytes]) => bytes.equals(model.onnx))![0];
  await writeFile(damaged, 'x');
  await t.rejects(readStoredModel(settings, model.manifest), { code: 'ARTIFACTS_UNREACHABLE', message: /damaged/ });
  await writeFile(damaged, model.onnx);
});

t.test('a real DVC checks data set and model out', { skip }, async (t) => {
  const folder = join(dataDir, 'dvc');
  await mkdir(folder);
  const dvc = (...args: string[]) => run(python, ['-m', 'dvc', ...args], { cwd: folder, env: { ...QUIET_ENV, HOME: folder } });
  await dvc('init', '--no-scm', '--quiet');
  await dvc('remote', 'add', '--default', 'tidemark', root);
  await cp(join(root, 'datasets', `${dataset_id}.dvc`), join(folder, `${dataset_id}.dvc`));
  await cp(join(root, 'models', 'churn', `${model.manifest.version}.dvc`), join(folder, `${model.manifest.version}.dvc`));
  await dvc('pull', '--quiet');
  t.same((await readdir(join(folder, dataset_id))).sort(), ['manifest.json', 'query.sql', ...manifest.files.map(({ path }) => path)].sort());
  for (const name of ['manifest.json', 'query.sql', ...manifest.files.map(({ path }) => path)]) t.ok((await readFile(join(folder, dataset_id, name))).equals(await file(name)), name);
  t.ok((await readFile(join(folder, model.manifest.version, 'model.onnx'))).equals(model.onnx));
  t.same((await readdir(join(folder, model.manifest.version))).sort(), ['card.json', 'card.md', 'manifest.json', 'model.onnx']);
  const { stdout } = await dvc('status');
  t.match(stdout, 'up to date', 'DVC computes the same hash of what it checked out');
  await writeFile(join(folder, dataset_id, 'query.sql'), 'changed');
  t.match((await dvc('status')).stdout, /modified/);
});

t.test('in a bucket stands what stands in the folder', { skip }, async (t) => {
  const s3 = await startS3(t, python);
  const inBucket = (over: Record<string, string> = {}) => loadSettings({
    ...env, ARTIFACTS_URL: 's3://tidemark-artifacts/some/prefix', ARTIFACTS_ENDPOINT: s3.endpoint, ARTIFACTS_REGION: 'eu-central-1',
    ARTIFACTS_ACCESS_KEY_ID: s3.accessKeyId, ARTIFACTS_SECRET_ACCESS_KEY: s3.secretAccessKey, ...over,
  });
  const bucket = inBucket();
  t.same(await storeDataset(bucket, view, set).then(({ dataset_id, place }) => ({ dataset_id, place })), { dataset_id, place: 's3://tidemark-artifacts/some/prefix' });
  await storeModel(bucket, model.manifest, model.onnx, '# Card\n');
  const store = openArtifacts(bucket);
  const names = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  t.ok(names.length >= 9, `${names.length} objects`);
  for (const name of names) t.ok((await store.get(name))?.equals(await readFile(join(root, name))), name);
  t.notOk(await store.has('files/md5/00/0'));
  t.equal(await store.get('datasets/none.dvc'), undefined);
  t.same((await readStoredModel(bucket, model.manifest))?.manifest, model.manifest);
  t.ok(listingOf((await store.get(`${datasetTree(dataset_id)}.dvc`))!.toString()));

  await t.rejects(storeModel(inBucket({ ARTIFACTS_SECRET_ACCESS_KEY: 'wrong' }), model.manifest, model.onnx), { code: 'ARTIFACTS_UNREACHABLE', message: /HTTP 403/ });
  await t.rejects(storeModel(inBucket({ ARTIFACTS_URL: 's3://no-such-bucket' }), model.manifest, model.onnx), { code: 'ARTIFACTS_UNREACHABLE', message: /NoSuchBucket.*create the bucket/ });
  await t.rejects(async () => openArtifacts(loadSettings({ ARTIFACTS_URL: 's3://tidemark-artifacts' })), { code: 'CONFIG_INVALID', message: /ARTIFACTS_ACCESS_KEY_ID/ });
});

t.test('a folder that cannot be written is said', async (t) => {
  await writeFile(join(dataDir, 'a-file'), '');
  await t.rejects(storeModel(loadSettings({ ...env, ARTIFACTS_URL: `file://${join(dataDir, 'a-file')}` }), model.manifest, model.onnx), { code: 'ARTIFACTS_UNREACHABLE' });
  t.notOk(existsSync(join(dataDir, 'a-file', 'models')));
});
