import type { GateSample } from '../../trainer/core/gate/compare.js';
import { seeded } from './random.js';

export interface PairOptions {
  readonly seed: number;
  readonly customers: number;
  readonly rows_each: number;
  /** Deviation of each model's log-odds from the truth; alike by default. */
  readonly noise?: { readonly candidate: number; readonly champion: number };
  /** What a model does to the probability in rows of the segment tenure=0-30 (every eighth customer). */
  readonly bend?: (p: number) => number;
}

/**
 * Customers with chances of churn of their own, rows of them that resemble each other, and two models that see the chances
 * through independent noise. With equal noise neither is better.
 */
export function simulateModels({ seed, customers, rows_each, noise = { candidate: 0.5, champion: 0.5 }, bend }: PairOptions): { sample: GateSample } {
  const random = seeded(seed);
  const labels: number[] = [];
  const customer: number[] = [];
  const candidate: number[] = [];
  const champion: number[] = [];
  const segments = new Map<string, number[]>([['tenure=0-30', []], ['tenure=30-90', []]]);
  for (let who = 0; who < customers; who++) {
    const own = -0.3 + 1.2 * random.normal();
    // A model's mistake about a customer is mostly the same in all its rows.
    const wrong = { candidate: random.normal(), champion: random.normal() };
    for (let i = 0; i < rows_each; i++) {
      const truth = own + 0.3 * random.normal();
      const seen = (kind: 'candidate' | 'champion'): number => chance(truth + noise[kind] * (0.8 * wrong[kind] + 0.6 * random.normal()));
      const young = who % 8 === 0;
      segments.get(young ? 'tenure=0-30' : 'tenure=30-90')!.push(labels.length);
      customer.push(who);
      labels.push(random() < chance(truth) ? 1 : 0);
      const p = seen('candidate');
      candidate.push(young && bend !== undefined ? bend(p) : p);
      champion.push(seen('champion'));
    }
  }
  return { sample: { labels, customer, candidate, champion, segments } };
}

const chance = (log_odds: number): number => 1 / (1 + Math.exp(-log_odds));
