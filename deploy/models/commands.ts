import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import { deploymentOf } from '../../schemas/ledger/deployment.js';
import { closest } from '../cli/closest.js';
import { differencesOf, listVersions, shortNumber, stageOf, table } from './core.js';
import { openModels, type ModelRegistry } from './open.js';

type Write = (text: string) => void;

export async function listModels(settings: Settings, log: Log, json: boolean, write: Write): Promise<void> {
  const { model, manifests, entries } = await openModels(settings, log);
  const versions = listVersions(manifests, entries);
  if (json) return versions.forEach((version) => write(`${JSON.stringify(version)}\n`));
  if (versions.length === 0) return write(`model ${model} has no version yet: tidemark train makes one, tidemark models import takes one\n`);
  write(table(['version', 'stage', 'family', 'trained', 'rows', 'AUC', 'log loss', 'last decision'], versions.map((one) => [
    one.version, one.stage, one.family, one.created_at.slice(0, 16).replace('T', ' '), one.rows === 0 ? '-' : String(one.rows), shortNumber(one.auc), shortNumber(one.log_loss),
    one.by === '' ? '' : `${one.by}: ${one.reason}`,
  ])));
}

export async function showModel(settings: Settings, log: Log, version: string, json: boolean, write: Write): Promise<void> {
  const registry = await openModels(settings, log);
  const manifest = findVersion(registry, version);
  const entries = registry.entries.filter((entry) => entry.version === manifest.version || (entry.champion === manifest.version && entry.action === 'rolled_back'));
  const stage = stageOf(manifest, deploymentOf(registry.entries, registry.manifests), registry.entries);
  if (json) {
    const { test_inputs: _inputs, test_outputs: _outputs, profile: _profile, ...said } = manifest;
    return write(`${JSON.stringify({ ...said, stage, ledger: entries })}\n`);
  }
  const time = (ms: number): string => (ms === 0 ? '-' : new Date(ms).toISOString());
  const rows: [string, string][] = [
    ['model', manifest.model], ['version', manifest.version], ['stage', stage], ['family', manifest.family], ['view', `${manifest.view} version ${manifest.view_version}`],
    ['created', time(manifest.created_at)], ['trained on', `${manifest.data_rows} rows, ${time(manifest.data_from)} to ${time(manifest.data_to)}`],
    ['data hash', manifest.data_hash || '-'], ['dataset', manifest.dataset_id || '-'], ['retrain event', manifest.retrain_event_id || '-'],
    ['ONNX', `${manifest.onnx_bytes} bytes, sha256 ${manifest.onnx_sha256}`],
    ...Object.entries(manifest.metrics).sort().map(([name, value]): [string, string] => [`metric ${name}`, shortNumber(value)]),
    ...Object.entries(manifest.parameters).sort().map(([name, value]): [string, string] => [`parameter ${name}`, value]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  write(rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join(''));
  write('\n');
  write(entries.length === 0 ? 'no entry in the ledger\n' : table(['at', 'action', 'share', 'by', 'reason'], entries.map(({ at, action, share, by, reason, version: about }) =>
    [time(at), about === manifest.version ? action : `put back for ${about}`, action === 'canary' ? String(share) : '', by, reason])));
}

export async function diffModels(settings: Settings, log: Log, a: string, b: string, json: boolean, write: Write): Promise<void> {
  const registry = await openModels(settings, log);
  const rows = differencesOf(findVersion(registry, a), findVersion(registry, b));
  if (json) return write(`${JSON.stringify(rows.map(([what, left, right]) => ({ what, a: left, b: right })))}\n`);
  write(rows.length === 0 ? 'no difference but in the bytes\n' : table(['', a, b, 'change'], rows));
}

/**
 * The version of this name, or the only one that begins or ends with it; `champion` and `challenger` name those.
 * @throws TidemarkError NOT_FOUND
 */
export function findVersion({ model, manifests, entries }: Pick<ModelRegistry, 'model' | 'manifests' | 'entries'>, given: string): ModelManifest {
  const { champion, challenger } = deploymentOf(entries, manifests);
  const name = given === 'champion' ? champion ?? given : given === 'challenger' ? challenger?.version ?? given : given;
  const exact = manifests.find(({ version }) => version === name);
  if (exact !== undefined) return exact;
  const like = manifests.filter(({ version }) => version.startsWith(name) || version.endsWith(name));
  if (like.length === 1) return like[0]!;
  const near = closest(name, manifests.map(({ version }) => version));
  const hint = like.length > 1 ? `${like.length} versions are like it: ${like.map(({ version }) => version).join(', ')}` : near === undefined ? 'tidemark models list shows them' : `did you mean ${near}?`;
  throw new TidemarkError('NOT_FOUND', `model ${model} has no version ${JSON.stringify(given)}; ${hint}`);
}
