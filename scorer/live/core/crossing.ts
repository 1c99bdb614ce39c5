import type { Levels } from './filter.js';

export type Crossed = 'up' | 'down';

/**
 * Tells when a customer's score crosses two levels: up at `up` or more, down below `down`. On which side a customer
 * stands follows from the score before, except between the levels, where it is the side that the customer came from:
 * only those who came from above are remembered. A customer between the levels whose past is not known counts as below.
 */
export interface CrossingWatch {
  /** Takes a customer's next score. @param previous the score before; undefined for the first */
  step(customerId: string, previous: number | undefined, score: number): Crossed | undefined;
  /** The side of a customer whose latest score this is. */
  isAbove(customerId: string, score: number): boolean;
  forget(customerId: string): void;
  readonly remembered: number;
}

/** @param customersMax most customers remembered between the levels; beyond it the one remembered longest counts as below */
export function createCrossingWatch({ up, down }: Levels, customersMax: number): CrossingWatch {
  const between = new Set<string>();
  const isAbove = (customerId: string, score: number): boolean => score >= up || (score >= down && between.has(customerId));
  return {
    isAbove,
    step(customerId, previous, score) {
      const before = previous !== undefined && isAbove(customerId, previous);
      const now = score >= up || (score >= down && before);
      if (!now || score >= up) between.delete(customerId);
      else if (!between.has(customerId)) {
        if (between.size >= customersMax) between.delete(between.values().next().value as string);
        between.add(customerId);
      }
      if (now === before) return undefined;
      return now ? 'up' : 'down';
    },
    forget: (customerId) => void between.delete(customerId),
    get remembered() { return between.size; },
  };
}
