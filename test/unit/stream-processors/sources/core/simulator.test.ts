import t from 'tap';
import { customerTruth, isChurned, nextPurchase, stateAt } from '../../../../../stream-processors/sources/core/truth.js';
import { customerId } from '../../../../../stream-processors/sources/core/population.js';
import { DEFAULT_SIMULATION, type SimulationParameters } from '../../../../../stream-processors/sources/core/simulation-parameters.js';
import { FAULT_KINDS, type FaultKind } from '../../../../../stream-processors/sources/core/planted-fault.js';
import { Simulator } from '../../../../../stream-processors/sources/core/simulator.js';
import { RandomStreams } from '../../../../../stream-processors/sources/core/random.js';
import { checkEvent } from '../../../../../schemas/events/check-event.js';
import type { CustomerEvent } from '../../../../../schemas/events/customer-event.js';

const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const base: SimulationParameters = { ...DEFAULT_SIMULATION, start_ms: START, customers: 400, new_customers_per_day: 2 };

function until(simulator: Simulator, timeMs: number): CustomerEvent[] {
  const events: CustomerEvent[] = [];
  while (simulator.nextArrival <= timeMs) events.push(simulator.next()!);
  return events;
}

t.test('the same parameters give the same events; another seed gives others', (t) => {
  const one = until(new Simulator(base), START + 60 * DAY);
  t.same(until(new Simulator(base), START + 60 * DAY), one);
  t.notSame(until(new Simulator({ ...base, seed: 2 }), START + 60 * DAY).slice(0, 50).map(({ event_time }) => event_time), one.slice(0, 50).map(({ event_time }) => event_time));
  const skipped = new Simulator(base);
  skipped.skipTo(500);
  t.same([skipped.next(), skipped.next()], one.slice(500, 502));
  t.end();
});

t.test('events keep every rule, come in time order but for the late ones, and twice where planted', (t) => {
  const events = until(new Simulator({ ...base, late_probability: 0.02, duplicate_probability: 0.01 }), START + 120 * DAY);
  t.equal(events.find((event) => checkEvent(event, Number.MAX_SAFE_INTEGER) !== undefined), undefined);
  let latest = 0;
  let late = 0;
  for (const { event_time } of events) {
    if (event_time < latest) late++;
    latest = Math.max(latest, event_time);
  }
  t.ok(late > 0.005 * events.length && late < 0.05 * events.length, `${late} of ${events.length} late`);
  const copies = events.length - new Set(events.map(({ event_id }) => event_id)).size;
  t.ok(copies > 0.005 * events.length && copies < 0.015 * events.length, `${copies} copies`);
  const calm = until(new Simulator({ ...base, late_probability: 0, duplicate_probability: 0 }), START + 60 * DAY);
  t.ok(calm.every(({ event_time }, i) => i === 0 || event_time >= calm[i - 1]!.event_time));
  t.end();
});

t.test('the truth of a customer, made alone, is what the events of all say', (t) => {
  const end = START + 300 * DAY;
  const events = until(new Simulator({ ...base, late_probability: 0, duplicate_probability: 0 }), end);
  let churned = 0;
  for (let customer = 0; customer < 100; customer++) {
    const own = events.filter(({ customer_id }) => customer_id === customerId(customer));
    const truth = customerTruth(base, customer, end);
    t.same(own.filter(({ event_type }) => event_type === 'purchase').map(({ event_time }) => event_time), truth.purchases_ms, `purchases of ${customer}`);
    t.equal(stateAt(truth, START - 1), 'arriving');
    if (isChurned(truth, end)) churned++;
    const active = own.filter(({ event_type, event_time }) => event_type !== 'refund' && stateAt(truth, event_time + 1) === 'churned');
    t.equal(active.length, 0, 'a churned customer does nothing but get a refund');
    if (truth.purchases_ms.length > 1) t.equal(nextPurchase(truth, truth.purchases_ms[0]!), truth.purchases_ms[1]);
  }
  t.ok(churned > 20 && churned < 90, `${churned} of 100 are gone after 300 days`);
  t.end();
});

t.test('statistics follow the parameters; annoyance drives customers away; a planted shift shows', (t) => {
  const calm = { ...base, customers: 3000, new_customers_per_day: 0, arrival_days: 1, active_days_mean: 1e9, annoyance_probability: 0, late_probability: 0, duplicate_probability: 0 };
  const purchases = until(new Simulator(calm), START + 100 * DAY).filter(({ event_type }) => event_type === 'purchase');
  // a Poisson process a customer, first purchase on arrival; visits take a few minutes
  const perCustomer = purchases.length / 3000 - 1;
  t.ok(Math.abs(perCustomer - 100 / base.purchase_gap_mean_days) < 0.5, `${perCustomer} purchases a customer`);
  const logs = purchases.map(({ amount }) => Math.log(amount!));
  t.ok(logs.every(Number.isFinite));
  const gone = (annoyance_probability: number): number => {
    const p = { ...base, annoyance_probability, ticket_gap_mean_days: 20 };
    return Array.from({ length: 300 }, (_, i) => customerTruth(p, i, START + 120 * DAY)).filter((truth) => isChurned(truth, START + 120 * DAY)).length;
  };
  const [patient, easily] = [gone(0), gone(0.8)];
  t.ok(easily > 1.3 * patient, `${easily} against ${patient} of 300`);
  const shifted = until(new Simulator({ ...calm, regime: { at_ms: START + 50 * DAY, visit_rate_factor: 0.5, order_value_factor: 2, drift_hazard_factor: 1 } }), START + 100 * DAY);
  const second = (events: readonly CustomerEvent[]): CustomerEvent[] => events.filter(({ event_type, event_time }) => event_type === 'purchase' && event_time > START + 70 * DAY);
  const mean = (events: readonly CustomerEvent[]): number => events.reduce((sum, { amount }) => sum + amount!, 0) / events.length;
  t.ok(second(shifted).length < 0.75 * second(purchases).length, 'fewer purchases');
  t.ok(Math.abs(mean(second(shifted)) / mean(second(purchases)) - 2) < 0.2, 'of twice the value');
  t.end();
});

t.test('a planted fault changes what is sent between its times, and nothing else', (t) => {
  const [from_ms, to_ms, end] = [START + 20 * DAY, START + 22 * DAY, START + 30 * DAY];
  const good = until(new Simulator(base), end);
  const inside = ({ event_time }: CustomerEvent): boolean => event_time >= from_ms + DAY / 2 && event_time < to_ms;
  const sent = (kind: FaultKind): CustomerEvent[] => until(new Simulator({ ...base, fault: { kind, from_ms, to_ms } }), end);
  const outside = (events: readonly CustomerEvent[]): CustomerEvent[] => events.filter(({ event_time }) => event_time < from_ms - DAY / 2 || event_time >= to_ms + DAY / 2);
  for (const kind of FAULT_KINDS) t.same(outside(sent(kind)), outside(good), `${kind}: before and after as ever`);
  const total = (events: readonly CustomerEvent[]): number => events.filter(inside).reduce((sum, { amount }) => sum + (amount ?? 0), 0);
  t.ok(sent('nulls').filter(inside).every(({ amount }) => amount === null));
  t.ok(Math.abs(total(sent('scale')) / total(good) - 100) < 1e-6);
  t.ok(total(good) > 0 && sent('zone').length === good.length);
  t.same([...new Set(sent('silence').filter(inside).map(({ channel }) => channel))].includes('web'), false);
  const whole = new Simulator({ ...base, fault: { kind: 'silence', from_ms, to_ms } });
  const events = Array.from({ length: 3000 }, () => [whole.next(), whole.position] as const);
  const resumed = new Simulator({ ...base, fault: { kind: 'silence', from_ms, to_ms } });
  resumed.skipTo(events[1999]![1]);
  t.same(resumed.next(), events[2000]![0], 'goes on where it was');
  t.end();
});

t.test('random streams have the moments they promise', (t) => {
  const random = new RandomStreams(1);
  random.seed(0, 42, 7);
  const n = 50_000;
  const moments = (draw: () => number): [number, number] => {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      const x = draw();
      sum += x;
      squares += x * x;
    }
    return [sum / n, squares / n - (sum / n) ** 2];
  };
  const near = ([mean, variance]: [number, number], wantMean: number, wantVariance: number, what: string): void => {
    t.ok(Math.abs(mean - wantMean) < 0.02 * Math.max(1, wantMean) && Math.abs(variance - wantVariance) < 0.06 * Math.max(0.1, wantVariance), `${what}: ${mean}, ${variance}`);
  };
  near(moments(() => random.uniform(0)), 0.5, 1 / 12, 'uniform');
  near(moments(() => random.normal(0)), 0, 1, 'normal');
  near(moments(() => random.exponential(0, 2)), 2, 4, 'exponential');
  near(moments(() => random.gamma(0, 1.5, 2)), 3, 6, 'gamma');
  near(moments(() => random.gamma(0, 0.5, 2)), 1, 2, 'gamma below 1');
  near(moments(() => random.geometric(0, 0.25)), 3, 12, 'geometric');
  t.end();
});
