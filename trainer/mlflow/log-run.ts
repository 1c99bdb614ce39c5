import type { ModelManifest } from '../../schemas/events/model.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { ModelVersion } from '../../runtime/models/assemble.js';
import type { ModelCard } from '../core/gate/card.js';
import { cardMarkdown } from '../core/gate/card-markdown.js';
import type { MlflowClient } from './client.js';
import { aliasChanges, type Alias } from './core/aliases.js';
import { mlmodelText, runOf, VERSION_TAG } from './core/run.js';

interface Run { readonly info: { readonly run_id: string; readonly artifact_uri: string } }

/** The experiment of this name; made where it is missing. @throws TidemarkError MLFLOW_UNREACHABLE */
export async function experimentOf(client: MlflowClient, name: string): Promise<string> {
  const made = await client.send('POST', 'experiments/create', { name });
  if (made !== undefined) return String(made['experiment_id']);
  const found = (await client.get('experiments/get-by-name', { experiment_name: name }))?.['experiment'] as { experiment_id: string; lifecycle_stage: string } | undefined;
  if (found?.lifecycle_stage !== 'active') throw new TidemarkError('MLFLOW_UNREACHABLE', `MLflow: experiment ${JSON.stringify(name)} was deleted; restore it, or set MLFLOW_EXPERIMENT_NAME to another`);
  return found.experiment_id;
}

/**
 * One version as a run (parameters, metrics, model, card) and as a version of the registered model. What an attempt that
 * was cut short has left is found by its tag and completed.
 * @returns MLflow's number of the version
 * @throws TidemarkError MLFLOW_UNREACHABLE
 */
export async function logRun(client: MlflowClient, experiment_id: string, { manifest, onnx }: Pick<ModelVersion, 'manifest' | 'onnx'>): Promise<string> {
  const about = runOf(manifest);
  const { info: { run_id, artifact_uri } } = await findRun(client, experiment_id, manifest.version) ??
    (await client.send('POST', 'runs/create', { experiment_id, run_name: about.name, start_time: about.at, tags: about.tags }))!['run'] as Run;
  await client.send('POST', 'runs/log-batch', { run_id, metrics: about.metrics, params: about.params });
  const files: readonly (readonly [path: string, bytes: Uint8Array])[] = [
    ['model/model.onnx', onnx], ['model/MLmodel', Buffer.from(mlmodelText(manifest, run_id))], ['manifest.json', Buffer.from(JSON.stringify(manifest, undefined, 2))], ...cardFiles(manifest),
  ];
  let uploaded = true;
  for (const [path, bytes] of files) uploaded &&= await client.upload(artifact_uri, path, bytes);
  await client.send('POST', 'runs/update', { run_id, status: 'FINISHED', end_time: about.at });
  await client.send('POST', 'registered-models/create', { name: manifest.model, description: 'Published by Tidemark; the aliases follow its ledger.' });
  const made = await client.send('POST', 'model-versions/create', {
    name: manifest.model, source: `${artifact_uri}/model`, run_id, description: `${manifest.family}, ${manifest.data_rows} rows${uploaded ? '' : '; the model itself is in Tidemark’s artifact store'}`,
    tags: [{ key: VERSION_TAG, value: manifest.version }, { key: 'tidemark.dataset_id', value: manifest.dataset_id }],
  });
  return String((made?.['model_version'] as { version: unknown }).version);
}

async function findRun(client: MlflowClient, experiment_id: string, version: string): Promise<Run | undefined> {
  const found = await client.send('POST', 'runs/search', { experiment_ids: [experiment_id], filter: `tags."${VERSION_TAG}" = '${version}'`, max_results: 1 });
  return (found?.['runs'] as Run[] | undefined)?.[0];
}

function cardFiles({ card }: ModelManifest): [string, Uint8Array][] {
  if (card === '') return [];
  const files: [string, Uint8Array][] = [['card.json', Buffer.from(card)]];
  try {
    files.push(['card.md', Buffer.from(cardMarkdown(JSON.parse(card) as ModelCard))]);
  } catch {
    // a card that others wrote: its JSON stands for itself
  }
  return files;
}

const PAGE = 200;
const PAGES_MAX = 100;

/** Our versions that MLflow has, with its numbers. */
export async function registered(client: MlflowClient, model: string): Promise<Map<string, string>> {
  const numbers = new Map<string, string>();
  let page_token = '';
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await client.get('model-versions/search', { filter: `name='${model}'`, max_results: String(PAGE), ...(page_token === '' ? {} : { page_token }) });
    for (const { version, tags } of (answer?.['model_versions'] ?? []) as { version: string | number; tags?: { key: string; value: string }[] }[]) {
      const ours = tags?.find(({ key }) => key === VERSION_TAG)?.value;
      if (ours !== undefined) numbers.set(ours, String(version));
    }
    page_token = String(answer?.['next_page_token'] ?? '');
    if (page_token === '') break;
  }
  return numbers;
}

/** Moves the aliases champion and challenger to where the ledger has them. @returns what was changed */
export async function syncAliases(client: MlflowClient, model: string, wanted: Readonly<Record<Alias, string | undefined>>, numbers: ReadonlyMap<string, string>): Promise<string[]> {
  const found = (await client.get('registered-models/get', { name: model }))?.['registered_model'] as { aliases?: { alias: string; version: string | number }[] } | undefined;
  if (found === undefined) return [];
  const current = Object.fromEntries((found.aliases ?? []).map(({ alias, version }) => [alias, String(version)]));
  const changes = aliasChanges(current, wanted, numbers);
  for (const { alias, to } of changes) await client.send(to === undefined ? 'DELETE' : 'POST', 'registered-models/alias', { name: model, alias, ...(to === undefined ? {} : { version: to }) });
  return changes.map(({ alias, to }) => `${alias} ${to ?? 'none'}`);
}
