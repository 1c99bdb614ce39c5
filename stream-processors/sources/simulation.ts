import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { DAY_MS } from './core/population.js';
import { createPace } from './core/pace.js';
import type { FaultKind } from './core/planted-fault.js';
import { DEFAULT_SIMULATION, PLANTED_SHIFT, type SimulationParameters } from './core/simulation-parameters.js';
import { Simulator } from './core/simulator.js';
import { loadPosition } from './position.js';
import type { Item } from './replay/items.js';
import { runSource } from './run-source.js';
import type { EventSource } from './source.js';

export interface SimulationOptions {
  /** What differs from DEFAULT_SIMULATION, or from the simulation that is under way in the data folder. */
  readonly parameters?: Partial<SimulationParameters>;
  /** Event time of the first part, published at full speed. */
  readonly historyDays?: number;
  /** Live part: events a second on average over wall-clock time; undefined: no bound. */
  readonly rate?: number;
  /** Live part: event time per wall-clock time; undefined: no bound. */
  readonly acceleration?: number;
  readonly again?: boolean;
  /** Day of the live part from which customers behave otherwise. */
  readonly shiftDay?: number;
  /** A producer's fault in the live part, in days from its beginning. */
  readonly fault?: { readonly kind: FaultKind; readonly day: number; readonly days: number };
}

export interface Simulation extends EventSource {
  readonly parameters: SimulationParameters;
}

const BLOCK_ITEMS = 500;
/** The live part begins so far back. 2,000 customers at 100 events a second live through it in some eight hours; after that events come in real time. */
const LIVE_DAYS = 1095;
const DEFAULT_RATE = 100;
const HISTORY_DAYS = 180;

/** What a simulation is known by. */
interface Identity {
  readonly parameters: SimulationParameters;
  readonly history_days: number;
}

/**
 * Simulated customers as a source of events. Simulated time begins in the past and never passes the wall clock; once it has
 * caught up, events come in real time. Where the simulation began is kept with its position, so that a restart goes on in
 * the same history.
 */
export async function openSimulation(options: SimulationOptions, settings: Settings, log: Log): Promise<Simulation> {
  const { acceleration } = options;
  const rate = options.rate ?? (acceleration === undefined ? DEFAULT_RATE : undefined);
  for (const [name, value] of Object.entries({ '--history-days': options.historyDays, '--rate': rate, '--acceleration': acceleration }))
    if (value !== undefined && !(value >= 0 && (value > 0 || name === '--history-days') && Number.isFinite(value)))
      throw new TidemarkError('INPUT_INVALID', `${name}: got ${value}, expected a number above 0`);

  const stateFile = join(settings.DATA_DIR, 'sources', 'simulation.json');
  const former = options.again === true ? undefined : (loadPosition(stateFile)?.source as unknown as Identity | undefined);
  const startMs = former?.parameters.start_ms ?? options.parameters?.start_ms ?? Math.floor(Date.now() / DAY_MS - (options.historyDays ?? HISTORY_DAYS) - LIVE_DAYS) * DAY_MS;
  const liveMs = startMs + (options.historyDays ?? former?.history_days ?? HISTORY_DAYS) * DAY_MS;
  const given = Object.fromEntries(Object.entries({ ...options.parameters, ...planted(options, liveMs) }).filter(([, value]) => value !== undefined));
  if (former !== undefined) refuseOther(former, given, options.historyDays, settings.DATA_DIR);
  const historyDays = options.historyDays ?? former?.history_days ?? HISTORY_DAYS;
  const parameters: SimulationParameters = {
    ...DEFAULT_SIMULATION,
    start_ms: startMs,
    ...former?.parameters,
    ...given,
  };
  const historyUntilMs = liveMs;
  const toWallClock = Date.now() - performance.now();
  const paced = createPace({ rate, acceleration });
  const source = await runSource({
    blocks: simulate(new Simulator(parameters)),
    stateFile,
    source: { parameters, history_days: historyDays },
    again: options.again ?? false,
    historyUntilMs,
    due: (item) => Math.max(paced(item.line, item.time_ms, performance.now()), item.time_ms - toWallClock),
  }, settings, log);
  return { ...source, parameters };
}

const planted = ({ shiftDay, fault }: SimulationOptions, liveMs: number): Pick<SimulationParameters, 'regime' | 'fault'> => ({
  ...(shiftDay === undefined ? {} : { regime: { ...PLANTED_SHIFT, at_ms: liveMs + shiftDay * DAY_MS } }),
  ...(fault === undefined ? {} : { fault: { kind: fault.kind, from_ms: liveMs + fault.day * DAY_MS, to_ms: liveMs + (fault.day + fault.days) * DAY_MS } }),
});

/** Customers of two simulations have the same ids: one data folder holds one. */
function refuseOther(former: Identity, given: Record<string, unknown>, historyDays: number | undefined, dataDir: string): void {
  const all: Record<string, unknown> = { ...former.parameters, history_days: former.history_days };
  const wanted: Record<string, unknown> = { ...given, ...(historyDays === undefined ? {} : { history_days: historyDays }) };
  const others = Object.keys(wanted).filter((name) => !isDeepStrictEqual(wanted[name], all[name]));
  if (others.length > 0)
    throw new TidemarkError('INPUT_INVALID', `simulation: ${others.map((name) => `${name} ${JSON.stringify(wanted[name])}`).join(', ')} wanted, but the one under way in ${dataDir} has ` +
      `${others.map((name) => `${name} ${JSON.stringify(all[name])}`).join(', ')}; leave that out to go on with it, or choose another DATA_DIR`);
}

/** The simulated clock of an item is when it arrives; its event may have happened before. */
function* simulate(simulator: Simulator): Generator<Item[]> {
  for (;;) {
    const block: Item[] = [];
    while (block.length < BLOCK_ITEMS) {
      const time_ms = simulator.nextArrival;
      const event = simulator.next();
      if (event === undefined) break;
      block.push({ time_ms, line: simulator.position, event });
    }
    if (block.length === 0) return;
    yield block;
  }
}
