import { recentHours, total, usualHours, type Finding, type TriageInput } from './aggregates.js';
import { strongestRun } from './scan.js';

/** In a burst at least half of the amounts are missing. */
const BURST_SHARE = 0.5;
/** A share that is usual has to be well below that; and a channel that never had any may still miss one in fifty. */
const USUAL_SHARE_MAX = 0.25;
const USUAL_SHARE_MIN = 0.02;

/** Purchases and refunds whose amount has gone missing. */
export function nullBurst(input: TriageInput, channel: string): Finding | undefined {
  const usual = usualHours(input, channel);
  const money = total(usual, 'money_rows');
  if (money < 20) return undefined;
  const share = Math.max(USUAL_SHARE_MIN, 1 - total(usual, 'amount_rows') / money);
  if (share > USUAL_SHARE_MAX) return undefined;
  const [missing, present] = [Math.log(BURST_SHARE / share), Math.log((1 - BURST_SHARE) / (1 - share))];
  const recent = recentHours(input, channel).filter(({ money_rows }) => money_rows > 0);
  const run = strongestRun(recent.map(({ hour, money_rows, amount_rows }) => ({ hour, score: (money_rows - amount_rows) * missing + amount_rows * present })));
  if (run === undefined) return undefined;
  const inside = recent.filter(({ hour }) => hour >= run.from && hour < run.to);
  const rows = total(inside, 'money_rows');
  const value = 1 - total(inside, 'amount_rows') / rows;
  return {
    ...run, cause: 'null_burst', channel, value, usual: 1 - total(usual, 'amount_rows') / money, rows,
    sentence: `${percent(value)} of ${rows} purchases and refunds have no amount, usually ${percent(1 - total(usual, 'amount_rows') / money)}`,
  };
}

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
