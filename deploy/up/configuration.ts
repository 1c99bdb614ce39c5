import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TidemarkError } from '../../runtime/errors.js';
import { loadSettings, type Settings } from '../../runtime/settings.js';
import { choosePorts } from './choose-ports.js';
import { portWishes } from './port-wishes.js';

const PORTS_DEADLINE_MS = 30_000;

export interface Configuration {
  readonly settings: Settings;
  /** What this start decided, as environment variables for its processes. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** The settings with the data folder as an absolute path, before anything is chosen. */
export function baseSettings(env: NodeJS.ProcessEnv): Settings {
  const settings = loadSettings(env);
  return { ...settings, DATA_DIR: resolve(settings.DATA_DIR) };
}

/**
 * Settles the ports. After a run that was killed its parts may need some seconds to end: they are waited for.
 * @throws TidemarkError PORT_TAKEN
 */
export async function configure(env: NodeJS.ProcessEnv, base: Settings, autoPorts: boolean, afterKill: boolean): Promise<Configuration> {
  const until = Date.now() + (afterKill ? PORTS_DEADLINE_MS : 0);
  let ports: Record<string, number> | undefined;
  while (ports === undefined) {
    try {
      ports = await choosePorts(portWishes(base), autoPorts);
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'PORT_TAKEN' || Date.now() > until) throw error;
      await sleep(500);
    }
  }
  const chosen: Record<string, string> = { DATA_DIR: base.DATA_DIR };
  for (const [name, port] of Object.entries(ports)) chosen[name] = String(port);
  return { settings: loadSettings(env, chosen), chosen };
}

export const withAddresses = (env: NodeJS.ProcessEnv, { chosen }: Configuration, addresses: Readonly<Record<string, string>>): Configuration => {
  const all = { ...chosen, ...addresses };
  return { chosen: all, settings: loadSettings(env, all) };
};
