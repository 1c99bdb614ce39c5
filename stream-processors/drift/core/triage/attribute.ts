import type { DriftWindow } from '../../../../schemas/drift/measurement.js';
import type { Judged } from '../judge.js';
import type { Quarantine } from './quarantine.js';

/** What an alarm is put down to. Only a change of the population is worth a retraining. */
export type Cause = { readonly kind: 'population_change' } | { readonly kind: 'data_bug'; readonly quarantine: Quarantine } | { readonly kind: 'one_channel'; readonly channel: string };

export interface AttributionInput {
  readonly window: DriftWindow;
  /** Tests that the alarm rests on. */
  readonly persistent: readonly Judged[];
  readonly judged: readonly Judged[];
  readonly quarantines: readonly Quarantine[];
  /** Features that are made of amounts: a wrong amount stays in them for as long as they look back. */
  readonly moneyFeatures: ReadonlySet<string>;
  readonly lookBackMs: number;
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

/**
 * A bug explains an alarm where the two share event time; and where all that moved is made of amounts, one of amounts
 * explains it for as long as those features remember.
 */
function explainedBy({ window, persistent, quarantines, moneyFeatures, lookBackMs }: AttributionInput): Quarantine | undefined {
  // The score, and all features together, follow from those that are made of amounts.
  const money = persistent.length > 0 && persistent.every(({ feature }) => moneyFeatures.has(feature) || feature === 'score' || feature === 'multivariate');
  return quarantines.find(({ from, to, cause }) => {
    const remembered = MONEY_CAUSES.includes(cause) ? (money ? lookBackMs : -1) : 0;
    return remembered >= 0 && from < window.to && window.from < to + remembered;
  });
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
