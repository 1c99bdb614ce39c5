import { Population, type LifeState } from './population.js';
import type { SimulationParameters } from './simulation-parameters.js';

/** A simulated customer's life as it really was, hidden states included. */
export interface CustomerTruth {
  /** In time order; the first is the arrival. */
  readonly states: readonly { readonly state: LifeState; readonly from_ms: number }[];
  readonly purchases_ms: readonly number[];
}

/** The truth of one customer up to a time, made from the parameters alone. */
export function customerTruth(parameters: SimulationParameters, customer: number, untilMs: number): CustomerTruth {
  const states: { state: LifeState; from_ms: number }[] = [];
  const purchases: number[] = [];
  const life = new Population(parameters, {
    entered: (_customer, state, timeMs) => { if (timeMs <= untilMs) states.push({ state, from_ms: timeMs }); },
    purchased: (_customer, timeMs) => { if (timeMs <= untilMs) purchases.push(timeMs); },
  }, customer);
  while (life.nextTime <= untilMs) life.next();
  return { states, purchases_ms: purchases };
}

export function stateAt({ states }: CustomerTruth, timeMs: number): LifeState {
  return states.findLast(({ from_ms }) => from_ms <= timeMs)?.state ?? 'arriving';
}

/** Whether the customer has left at this time; one who comes back later had left. */
export const isChurned = (truth: CustomerTruth, timeMs: number): boolean => stateAt(truth, timeMs) === 'churned';

/** Time of the first purchase after `timeMs`, epoch milliseconds, as far as the truth reaches. */
export function nextPurchase({ purchases_ms }: CustomerTruth, timeMs: number): number | undefined {
  return purchases_ms.find((at) => at > timeMs);
}
