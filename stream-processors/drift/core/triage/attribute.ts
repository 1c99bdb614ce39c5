import type { DriftWindow } from '../../../../schemas/drift/measurement.js';
import type { Judged } from '../judge.js';
import type { Quarantine } from './quarantine.js';

/** What an alarm is put down to. Only a change of the population is worth a retraining. */
export type Cause = { readonly kind: 'population_change' } | { readonly kind: 'data_bug'; readonly quarantine: Quarantine } | { readonly kind: 'one_channel'; readonly channel: string };

/** What a feature is made of, and for how long what an event brought into it stays there. */
export interface FeatureMemory {
  /** Of amounts. */
  readonly money: boolean;
  readonly heldMs: number;
}

export interface AttributionInput {
  /** The window that is looked at. */
  readonly window: DriftWindow;
  /** Beginning of the alarm's first window. */
  readonly since: number;
  /** Tests that the alarm rests on. */
  readonly persistent: readonly Judged[];
  readonly judged: readonly Judged[];
  readonly quarantines: readonly Quarantine[];
  readonly memories: ReadonlyMap<string, FeatureMemory>;
}

const CHANNEL = 'channel=';
const MONEY_CAUSES = ['null_burst', 'unit_change'];
/** Below this p another channel has moved, too. */
const ALSO_P = 0.001;
const CHANNELS_MIN = 2;

export function attribute(input: AttributionInput): Cause {
  const quarantine = explainedBy(input);
  if (quarantine !== undefined) return { kind: 'data_bug', quarantine };
  const channel = onlyChannel(input);
  return channel === undefined ? { kind: 'population_change' } : { kind: 'one_channel', channel };
}

/** Bugs explain an alarm where each of its tests has one that explains it. */
function explainedBy(input: AttributionInput): Quarantine | undefined {
  const bugs = input.persistent.map((test) => input.quarantines.find((bug) => explains(bug, test, input)));
  return bugs.includes(undefined) ? undefined : bugs[0];
}

/**
 * A bug explains a test as long as the rows that are compared may hold something of it: what an event brought into a feature
 * stays there as long as the feature looks back. Broken amounts explain what is made of them whenever it moves; any other
 * bug only what began to move while it lasted.
 */
function explains({ from, to, cause }: Quarantine, { feature, against }: Judged, { window, since, memories }: AttributionInput): boolean {
  const memory = memories.get(feature);
  const compared = against === 'previous' ? window.from - (window.to - window.from) : window.from;
  if (from >= window.to || compared >= to + (memory?.heldMs ?? 0)) return false;
  return MONEY_CAUSES.includes(cause) ? memory?.money === true : since < to;
}

/** The channel in which all of the change is: its own tests are beyond, no other channel's are even unusual. */
function onlyChannel({ persistent, judged }: AttributionInput): string | undefined {
  const channels = [...new Set(judged.filter(({ segment, verdict }) => segment.startsWith(CHANNEL) && verdict !== 'few_rows' && verdict !== 'calibrating').map(({ segment }) => segment))];
  if (channels.length < CHANNELS_MIN) return undefined;
  const moved = new Set(persistent.filter(({ feature }) => feature !== 'channel').map(({ feature, statistic, against }) => `${statistic}|${against}|${feature}|`));
  const unusual = (segment: string, limit: number): boolean => judged.some(({ segment: of, p, key }) => of === segment && p !== null && p <= limit && moved.has(key.slice(0, key.length - segment.length)));
  const beyond = channels.filter((segment) => judged.some(({ segment: of, verdict }) => of === segment && verdict === 'beyond'));
  const [only, ...more] = beyond;
  if (only === undefined || more.length > 0 || moved.size === 0) return undefined;
  return channels.some((segment) => segment !== only && unusual(segment, ALSO_P)) ? undefined : only.slice(CHANNEL.length);
}
