import { TidemarkError } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';
import { binaries, nodeVersion, openMp } from './binaries.js';
import { type Check, renderResults, type Result, runChecks } from './check.js';
import { environment } from './environment.js';
import { disk, jars, java, memory } from './machine.js';
import { broker, clickhouse, ports, registry } from './network.js';

/** What a machine has to have, whatever runs on it already. */
export const MACHINE_CHECKS: readonly Check[] = [nodeVersion, ...binaries, openMp, java, jars, disk, memory];
export const CHECKS: readonly Check[] = [environment, ...MACHINE_CHECKS, ports, broker, registry, clickhouse];

/** Every check that applies to these settings. */
export const examine = (settings: Settings): Promise<Result[]> => runChecks(CHECKS, settings);

/** The quick checks before a start. @throws TidemarkError REQUIREMENT_MISSING listing all that fail, each with its fix */
export async function requireHealthy(settings: Settings, checks: readonly Check[] = CHECKS): Promise<void> {
  const failed = (await runChecks(checks.filter((check) => check.quick), settings)).filter((result) => result.status === 'fail');
  if (failed.length > 0) throw new TidemarkError('REQUIREMENT_MISSING', `something that tidemark needs is missing:\n${renderResults(failed)}tidemark doctor shows all of it`);
}
