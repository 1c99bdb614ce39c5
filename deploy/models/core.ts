import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import { deploymentOf, type Deployment } from '../../schemas/ledger/deployment.js';

/** What a version is now, in the words of ClickHouse's models_now. */
export function stageOf(manifest: Pick<ModelManifest, 'version' | 'stage'>, { champion, champions, challenger }: Deployment, entries: readonly LedgerEntry[]): string {
  const { version, stage } = manifest;
  if (version === champion) return 'champion';
  if (version === challenger?.version) return challenger.mode === 'canary' ? `canary ${challenger.share}` : 'shadow';
  if (champions.includes(version)) return 'former';
  const last = entries.findLast((entry) => entry.version === version)?.action;
  if (last === 'refused' || last === 'rolled_back' || last === 'retired') return last;
  return stage === 'champion' ? 'retired' : stage;
}

export interface ListedVersion {
  readonly version: string;
  readonly stage: string;
  readonly family: string;
  readonly view_version: number;
  readonly created_at: string;
  readonly rows: number;
  readonly auc: number | undefined;
  readonly log_loss: number | undefined;
  /** The last entry about it. */
  readonly by: string;
  readonly reason: string;
}

/** Every version, the newest first. */
export function listVersions(manifests: readonly ModelManifest[], entries: readonly LedgerEntry[]): ListedVersion[] {
  const deployment = deploymentOf(entries, manifests);
  return [...manifests].sort((a, b) => b.created_at - a.created_at || (a.version < b.version ? 1 : -1)).map((manifest) => {
    const last = entries.findLast(({ version }) => version === manifest.version);
    return {
      version: manifest.version, stage: stageOf(manifest, deployment, entries), family: manifest.family, view_version: manifest.view_version,
      created_at: new Date(manifest.created_at).toISOString(), rows: manifest.data_rows, auc: manifest.metrics['auc'], log_loss: manifest.metrics['log_loss'],
      by: last?.by ?? '', reason: last?.reason ?? '',
    };
  });
}

/** A table of text columns, two spaces apart. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  return [header, ...rows].map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  ').trimEnd()).join('\n') + '\n';
}

export const shortNumber = (value: number | undefined): string => (value === undefined ? '-' : Number.isInteger(value) ? String(value) : value.toPrecision(5));

/** Field by field, what two versions differ in; equal ones are left out. */
export function differencesOf(a: ModelManifest, b: ModelManifest): [what: string, a: string, b: string, change: string][] {
  const day = (ms: number): string => (ms === 0 ? '-' : new Date(ms).toISOString().slice(0, 16).replace('T', ' '));
  const rows: [string, string, string, string][] = [];
  const say = (what: string, left: string | undefined, right: string | undefined, change = ''): void => { if (left !== right) rows.push([what, left ?? '-', right ?? '-', change]); };
  say('family', a.family, b.family);
  say('view', `${a.view} ${a.view_version}`, `${b.view} ${b.view_version}`);
  say('trained on, from', day(a.data_from), day(b.data_from));
  say('trained on, to', day(a.data_to), day(b.data_to));
  say('rows', String(a.data_rows), String(b.data_rows), signed(b.data_rows - a.data_rows));
  say('data hash', a.data_hash.slice(0, 12), b.data_hash.slice(0, 12));
  say('bytes', String(a.onnx_bytes), String(b.onnx_bytes), signed(b.onnx_bytes - a.onnx_bytes));
  const keys = (x: object, y: object): string[] => [...new Set([...Object.keys(x), ...Object.keys(y)])].sort();
  for (const name of keys(a.metrics, b.metrics)) {
    const [left, right] = [a.metrics[name], b.metrics[name]];
    say(name, left === undefined ? undefined : shortNumber(left), right === undefined ? undefined : shortNumber(right), left === undefined || right === undefined ? '' : signed(right - left));
  }
  for (const name of keys(a.parameters, b.parameters)) say(`parameter ${name}`, a.parameters[name], b.parameters[name]);
  const [removed, added] = [a.features.filter((name) => !b.features.includes(name)), b.features.filter((name) => !a.features.includes(name))];
  if (removed.length + added.length > 0) say('features', removed.map((name) => `-${name}`).join(' '), added.map((name) => `+${name}`).join(' '));
  return rows;
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${shortNumber(value)}`;
