import { HOUR_MS } from './aggregates.js';

/** A run of hours, [from, to), and the evidence it adds up to. */
export interface Run {
  readonly from: number;
  readonly to: number;
  readonly evidence: number;
}

/**
 * Evidence, nats, from which a run of hours is broken and not chance. With some 700 hours, 10 channels and 8 hypotheses at a
 * look the bound sum of all runs' chances is below 1e-4 a look (a log-likelihood ratio of x comes by chance at most every
 * e^x-th time).
 */
export const EVIDENCE_MIN = 20;
/** What a single hour may add: one odd purchase must not make a verdict. */
const HOUR_EVIDENCE_MAX = 12;

/** The run of hours with the largest sum of scores, each a log-likelihood ratio of broken against usual (Kadane; Karlin and Altschul 1990 for what chance makes of it). */
export function strongestRun(hours: readonly { readonly hour: number; readonly score: number }[]): Run | undefined {
  let best: Run | undefined;
  let [sum, from] = [0, 0];
  for (const { hour, score } of hours) {
    if (sum <= 0) [sum, from] = [0, hour];
    sum += Math.max(-HOUR_EVIDENCE_MAX, Math.min(HOUR_EVIDENCE_MAX, score));
    if (sum > (best?.evidence ?? 0)) best = { from, to: hour + HOUR_MS, evidence: sum };
  }
  return best !== undefined && best.evidence >= EVIDENCE_MIN ? best : undefined;
}
