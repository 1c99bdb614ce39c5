import { TidemarkError } from '../../runtime/errors.js';
import { freePort, isPortFree, LOOPBACK } from '../../runtime/ports.js';
import { portOwner } from './port-owner.js';

export interface PortWish {
  /** The setting that names the port. */
  readonly variable: string;
  /** What listens there, for people. */
  readonly what: string;
  readonly port: number;
  readonly host?: string;
}

/**
 * The port of each wish: its own where that is free, else another one if `auto`, else an error that lists every taken port at once.
 * @throws TidemarkError PORT_TAKEN
 */
export async function choosePorts(wishes: readonly PortWish[], auto: boolean): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  const used = new Map<number, string>();
  const problems: string[] = [];
  for (const { variable, what, port, host = LOOPBACK } of wishes) {
    const twin = used.get(port);
    if (twin === undefined && (await isPortFree(port, host))) {
      chosen[variable] = port;
    } else if (auto) {
      do chosen[variable] = await freePort(host); while (used.has(chosen[variable]!));
    } else {
      const owner = twin === undefined ? portOwner(port) : `${twin} of this start`;
      problems.push(`${what}: port ${port} is taken${owner === undefined ? '' : ` by ${owner}`}; set ${variable} to another`);
      continue;
    }
    used.set(chosen[variable]!, variable);
  }
  if (problems.length > 0)
    throw new TidemarkError('PORT_TAKEN', `${problems.join('. ')}; or start with --auto-ports`, { details: { taken: problems.length } });
  return chosen;
}
