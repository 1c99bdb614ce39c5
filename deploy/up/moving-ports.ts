import { TidemarkError } from '../../runtime/errors.js';
import { freePort } from '../../runtime/ports.js';

/** Ports that were free when they were chosen and taken when something was to listen on them, with the ones used instead. */
export interface MovingPorts {
  /** By the setting that names the port; complete once everything has started. */
  readonly moved: Readonly<Record<string, string>>;
  /**
   * Starts what listens on the port of a setting; where another process has taken it meanwhile, again on another, a few
   * times. Once it has started, its port stays: others know it.
   * @param begin reads the port from `moved`, else the one that was chosen
   */
  start<T>(variable: string, begin: () => Promise<T>): Promise<T>;
}

const TRIES_MAX = 5;

/** @param auto --auto-ports: without it a taken port is an error */
export function movingPorts(auto: boolean, choose: () => Promise<number> = freePort): MovingPorts {
  const moved: Record<string, string> = {};
  const settled = new Set<string>();
  return {
    moved,
    async start(variable, begin) {
      for (let tries = 1; ; tries++) {
        try {
          const started = await begin();
          settled.add(variable);
          return started;
        } catch (error) {
          if (!auto || settled.has(variable) || tries === TRIES_MAX || !portTaken(error)) throw error;
          moved[variable] = String(await choose());
        }
      }
    },
  };
}

/** The port's own error, or the last words of a process that met it. */
function portTaken(error: unknown): boolean {
  return error instanceof TidemarkError
    && (error.code === 'PORT_TAKEN' || (error.code === 'PART_NOT_READY' && /"code":"PORT_TAKEN"|EADDRINUSE|address already in use/i.test(error.message)));
}
