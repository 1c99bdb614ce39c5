import type { SourceChoice } from '../up/options.js';
import { FAULT_KINDS, type FaultKind } from '../../stream-processors/sources/core/planted-fault.js';
import { type Arguments, flagOf, listOf, numberOf, type OptionSpec, textOf, UsageError } from './command.js';

const FIELDS = ['event_id', 'customer_id', 'event_type', 'amount', 'quantity', 'channel', 'event_time', 'properties'];

export const FILE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  speed: { type: 'string', value: 'N', description: 'N times real time (default: full speed)' },
  map: { type: 'string', value: 'FIELD=COLUMN', multiple: true, description: `name of a column or key that is called otherwise; fields: ${FIELDS.join(', ')}` },
  again: { type: 'boolean', description: 'publish the file from its beginning though it was published before' },
};

export const SIMULATION_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  customers: { type: 'string', value: 'N', description: 'simulated customers (default 1000)' },
  rate: { type: 'string', value: 'N', description: 'simulated events a second (default 100)' },
  acceleration: { type: 'string', value: 'N', description: 'simulated time per real time (default: as the rate gives)' },
  'history-days': { type: 'string', value: 'N', description: 'simulated days before the live part (default 180)' },
  seed: { type: 'string', value: 'N', description: 'seed of the simulation (default 1)' },
  shift: { type: 'string', value: 'DAY', description: 'from this day of the live part on customers behave otherwise: fewer visits, larger orders, sooner gone' },
  fault: { type: 'string', value: 'KIND@DAY+DAYS', description: `a producer's fault in the live part; kinds: ${FAULT_KINDS.join(', ')}` },
};

export function fileSource(args: Arguments, file: string): SourceChoice {
  const history = numberOf(args, 'history', { min: 0, max: 1 });
  const speed = numberOf(args, 'speed', { min: 0.001, max: 1e12 });
  return {
    kind: 'file', file, again: flagOf(args, 'again'), map: mapOf(listOf(args, 'map')),
    ...(history === undefined ? {} : { history }),
    ...(speed === undefined ? {} : { speed }),
  };
}

export function simulationSource(args: Arguments): SourceChoice {
  const customers = numberOf(args, 'customers', { min: 1, max: 10_000_000, integer: true });
  const rate = numberOf(args, 'rate', { min: 0.001, max: 1e6 });
  const acceleration = numberOf(args, 'acceleration', { min: 0.001, max: 1e9 });
  const historyDays = numberOf(args, 'history-days', { min: 0, max: 3650 });
  const seed = numberOf(args, 'seed', { min: 0, max: 0xffff_ffff, integer: true });
  const shiftDay = numberOf(args, 'shift', { min: 0, max: 3650 });
  const fault = faultOf(textOf(args, 'fault'));
  return {
    kind: 'simulation',
    ...(customers === undefined ? {} : { customers }),
    ...(rate === undefined ? {} : { rate }),
    ...(acceleration === undefined ? {} : { acceleration }),
    ...(historyDays === undefined ? {} : { historyDays }),
    ...(seed === undefined ? {} : { seed }),
    ...(shiftDay === undefined ? {} : { shiftDay }),
    ...(fault === undefined ? {} : { fault }),
  };
}

function faultOf(text: string | undefined): { kind: FaultKind; day: number; days: number } | undefined {
  if (text === undefined) return undefined;
  const [, kind, day, days] = /^(\w+)@(\d+(?:\.\d+)?)\+(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const known = FAULT_KINDS.find((one) => one === kind);
  if (known === undefined) throw new UsageError(`--fault: got ${JSON.stringify(text)}, expected KIND@DAY+DAYS such as scale@30+2; kinds: ${FAULT_KINDS.join(', ')}`);
  return { kind: known, day: Number(day), days: Number(days) };
}

/** The source that the options of `up` choose. @throws UsageError where they contradict each other */
export function sourceOf(args: Arguments): SourceChoice {
  const file = textOf(args, 'events');
  const ofFile = ['history', ...Object.keys(FILE_OPTIONS)];
  const ofSimulation = Object.keys(SIMULATION_OPTIONS);
  const given = (names: readonly string[]): string | undefined => names.find((name) => args.values[name] !== undefined);
  if (flagOf(args, 'no-source')) {
    const other = given(['events', ...ofFile, ...ofSimulation]);
    if (other !== undefined) throw new UsageError(`--no-source and --${other} contradict each other`);
    return { kind: 'none' };
  }
  if (file === undefined) {
    const other = given(ofFile);
    if (other !== undefined) throw new UsageError(`--${other}: expected --events FILE beside it`);
    return simulationSource(args);
  }
  const other = given(ofSimulation);
  if (other !== undefined) throw new UsageError(`--${other} is for the simulation, --events FILE replays a file`);
  return fileSource(args, file);
}

/** `FIELD=COLUMN` of each --map. */
export function mapOf(texts: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    const field = text.slice(0, at);
    if (at < 1 || at === text.length - 1) throw new UsageError(`--map: got ${JSON.stringify(text)}, expected FIELD=COLUMN`);
    if (!FIELDS.includes(field)) throw new UsageError(`--map: got the field ${JSON.stringify(field)}, expected one of ${FIELDS.join(', ')}`);
    map[field] = text.slice(at + 1);
  }
  return map;
}
