import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { decide } from '../../runtime/models/decide.js';
import type { Settings } from '../../runtime/settings.js';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { deploymentOf, nextDeployment, type Deployment } from '../../schemas/ledger/deployment.js';
import { ledgerEntry, type LedgerDraft } from '../../schemas/ledger/entry.js';
import { currentUser } from '../current-user.js';
import { findVersion } from './commands.js';
import { openModels, type ModelRegistry } from './open.js';

type Write = (text: string) => void;

/** How a version is to serve. */
export type Service = { readonly mode: 'full' | 'shadow' } | { readonly mode: 'canary'; readonly share: number };

/** The entry that puts a version into service. */
export function serviceEntry(model: string, version: string, service: Service, about: { by: string; reason: string; at: number }): LedgerEntry {
  const draft: LedgerDraft = {
    model, version, ...about,
    ...(service.mode === 'full' ? { action: 'promoted', champion: version } : service.mode === 'canary' ? { action: 'canary', share: service.share } : { action: 'shadow' }),
  };
  return ledgerEntry(draft, String(about.at));
}

export async function promoteModel(settings: Settings, log: Log, given: string, service: Service, why: string, write: Write): Promise<void> {
  const registry = await openModels(settings, log);
  const manifest = findVersion(registry, given);
  const { version } = manifest;
  if (manifest.view !== view.name || manifest.view_version !== view.version)
    throw new TidemarkError('MODEL_INVALID', `version ${version} was made for view ${manifest.view} version ${manifest.view_version}, this is ${view.name} version ${view.version}: no scorer would take it; train one for it`);
  await change(registry, (deployment, at) => {
    if (deployment.champion === version) throw new TidemarkError('INPUT_INVALID', `version ${version} is the champion already`);
    return serviceEntry(registry.model, version, service, { at, by: currentUser(), reason: why });
  }, write);
}

/** Takes the champion or the challenger out of service. @param to the version that serves afterwards instead of the champion */
export async function rollBackModel(settings: Settings, log: Log, given: string | undefined, to: string | undefined, why: string, write: Write): Promise<void> {
  const registry = await openModels(settings, log);
  const target = to === undefined ? undefined : findVersion(registry, to).version;
  const named = given === undefined ? undefined : findVersion(registry, given).version;
  await change(registry, (deployment, at) => {
    const version = named ?? deployment.champion;
    if (version === undefined) throw new TidemarkError('NOT_FOUND', `model ${registry.model} has no champion: there is nothing to roll back`);
    const ofChallenger = version === deployment.challenger?.version;
    if (!ofChallenger && version !== deployment.champion) throw new TidemarkError('INPUT_INVALID', `version ${version} does not serve: the champion is ${deployment.champion ?? 'none'}, the challenger ${deployment.challenger?.version ?? 'none'}`);
    const champion = ofChallenger ? deployment.champion ?? '' : target ?? deployment.champions[1];
    if (champion === undefined) throw new TidemarkError('INPUT_INVALID', `version ${version} is the first champion, there is none before it: name one with --to VERSION`);
    if (champion === version) throw new TidemarkError('INPUT_INVALID', `--to names version ${version} itself`);
    return ledgerEntry({ model: registry.model, version, action: 'rolled_back', champion, at, by: currentUser(), reason: why }, String(at));
  }, write);
}

/** Decides on the ledger as it stands, writes the entry and says what serves then. */
export async function change({ decider, model, manifests }: ModelRegistry, make: (deployment: Deployment, at: number) => LedgerEntry, write: Write): Promise<void> {
  let after: Deployment | undefined;
  await decide(decider, model, (entries) => {
    const before = deploymentOf(entries, manifests);
    const entry = make(before, Date.now());
    after = nextDeployment(before, entry);
    return { entries: [entry] };
  });
  write(`${deploymentText(after!)}\n`);
}

export function deploymentText({ champion, challenger }: Deployment): string {
  const beside = challenger === undefined ? '' : challenger.mode === 'canary' ? `; ${challenger.version} serves ${challenger.share * 100} % of the customers` : `; ${challenger.version} is scored in shadow`;
  return `champion: ${champion ?? 'none'}${beside}`;
}
