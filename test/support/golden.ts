import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { randomHistory, type HistoryRecord } from './history.js';
import { Oracle } from './oracle.js';
import { everyAggregate } from './views.js';

export interface GoldenStep {
  event: HistoryRecord;
  outcome: string;
  /** In the order of `features`; null is NaN. */
  values: (number | null)[];
  /** The same as of a later clock. */
  clock_ms: number;
  values_at_clock: (number | null)[];
}
export interface GoldenFeatures {
  description: string;
  view: FeatureView;
  features: string[];
  steps: GoldenStep[];
}

/** Small adversarial histories and what the oracle says after each record: schemas/golden/features-<view>.json. */
export function goldenFeatures(view: FeatureView): GoldenFeatures {
  const oracle = new Oracle(view);
  const values = (customer: string, clock: number): (number | null)[] => oracle.vector(customer, clock).map((value) => (Number.isNaN(value) ? null : value));
  return {
    description: 'Records in arrival order; outcome, features after each, and features at a later clock. Agree to 1e-9 relative (absolute below 1); null is NaN.',
    view,
    features: featureNames(view),
    steps: randomHistory({ seed: 5, customers: 3, eventsPerCustomer: 20, lateDaysMax: 250, duplicates: 0.15, partitions: 1 }).map((event) => {
      const outcome = oracle.take(event);
      const clock_ms = event.event_time + 5 * 86_400_000;
      return { event, outcome, values: values(event.customer_id, 0), clock_ms, values_at_clock: values(event.customer_id, clock_ms) };
    }),
  };
}

export const GOLDEN_VIEWS = [customerActivity, everyAggregate];
export const goldenPath = (view: FeatureView): string => `schemas/golden/features-${view.name.replaceAll('_', '-')}.json`;

/** One step a line, so that a changed value is one line in a diff. */
export function goldenText(golden: GoldenFeatures): string {
  const { steps, ...head } = golden;
  return `${JSON.stringify(head, null, 1).slice(0, -2)},\n "steps": [\n${steps.map((step) => `  ${JSON.stringify(step)}`).join(',\n')}\n ]\n}\n`;
}
