/**
 * What training data is expected to be like: a declared suite, held before a model is trained. An `error` stops the training,
 * since its model would be wrong; a `warning` stands in the report and in the model card.
 */
export interface Expectation<Facts> {
  readonly name: string;
  readonly severity: 'error' | 'warning';
  /** In words, with the bound. */
  readonly expects: string;
  readonly bound: number;
  /** The figure that must not be above the bound, and what it was found at. */
  observe(facts: Facts): { readonly observed: number; readonly where?: string };
}

export interface ExpectationResult {
  readonly name: string;
  readonly severity: 'error' | 'warning';
  readonly expects: string;
  readonly bound: number;
  readonly observed: number;
  readonly passed: boolean;
  /** The feature or the count that it was found at; empty where nothing is to be said. */
  readonly where: string;
}

export function hold<Facts>(suite: readonly Expectation<Facts>[], facts: Facts): ExpectationResult[] {
  return suite.map(({ name, severity, expects, bound, observe }) => {
    const { observed, where = '' } = observe(facts);
    // NaN is no figure, and no proof.
    return { name, severity, expects, bound, observed, passed: observed <= bound, where };
  });
}

export const failures = (results: readonly ExpectationResult[], severity: 'error' | 'warning'): ExpectationResult[] => results.filter((one) => !one.passed && one.severity === severity);

/** `leakage: expected …, got 1 (f3)` */
export const inWords = ({ name, expects, observed, where }: ExpectationResult): string => `${name}: expected ${expects}, got ${Number(observed.toPrecision(4))}${where === '' ? '' : ` (${where})`}`;

/** Counts of training_event_facts.sql. */
export interface EventFacts {
  readonly events: number;
  readonly without_customer: number;
  readonly without_id: number;
  readonly repeated: number;
  readonly purchases: number;
  readonly purchases_without_amount: number;
  readonly amounts_outside: number;
  readonly times_outside: number;
  readonly days_without_events: number;
}

const share = (part: number, whole: number, of: string): { observed: number; where: string } => ({ observed: whole === 0 ? 0 : part / whole, where: `${part} of ${whole} ${of}` });

/** The events as they landed. They are warnings: what is stored is what the stream scored with, and a model is trained on the like. */
export const EVENT_SUITE: readonly Expectation<EventFacts>[] = [
  { name: 'events_have_a_customer', severity: 'warning', expects: 'no event without customer_id', bound: 0, observe: (f) => share(f.without_customer, f.events, 'events') },
  { name: 'events_have_an_id', severity: 'warning', expects: 'no event without event_id', bound: 0, observe: (f) => share(f.without_id, f.events, 'events') },
  { name: 'events_once', severity: 'warning', expects: 'at most 2 % of events with an id that the customer had before', bound: 0.02, observe: (f) => share(f.repeated, f.events, 'events') },
  { name: 'purchases', severity: 'warning', expects: 'some purchases', bound: 0, observe: (f) => ({ observed: f.purchases > 0 ? 0 : 1, where: `${f.purchases} purchases` }) },
  { name: 'amounts_present', severity: 'warning', expects: 'at most 5 % of purchases without amount', bound: 0.05, observe: (f) => share(f.purchases_without_amount, f.purchases, 'purchases') },
  { name: 'amounts_in_range', severity: 'warning', expects: 'at most 0.1 % of purchases below 0 or above a million', bound: 0.001, observe: (f) => share(f.amounts_outside, f.purchases, 'purchases') },
  { name: 'times_in_range', severity: 'warning', expects: 'at most 0.1 % of events outside the time that the others agree on', bound: 0.001, observe: (f) => share(f.times_outside, f.events, 'events') },
  { name: 'every_day', severity: 'warning', expects: 'no day without events', bound: 0, observe: (f) => ({ observed: f.days_without_events, where: 'days' }) },
];
