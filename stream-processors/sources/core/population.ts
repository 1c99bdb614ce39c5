import { EVENT_TYPES, type CustomerEvent, type EventType } from '../../../schemas/events/customer-event.js';
import { RandomStreams } from './random.js';
import type { SimulationParameters } from './simulation-parameters.js';
import { TimeHeap } from './time-heap.js';

export const DAY_MS = 86_400_000;
const CHANNELS = ['web', 'ios', 'android', 'store'] as const;
export const LIFE_STATES = ['arriving', 'active', 'drifting', 'churned'] as const;
export type LifeState = (typeof LIFE_STATES)[number];
const [ARRIVING, ACTIVE, DRIFTING, CHURNED] = [0, 1, 2, 3];

/** What is known of a simulated customer beyond the events: told as it happens. */
export interface Observer {
  entered(customer: number, state: LifeState, timeMs: number): void;
  purchased(customer: number, timeMs: number): void;
}

/** The things that can happen next to a customer; each has a time, Infinity for never. On a tie the first goes first. */
const [STEP, REFUND, TICKET, VISIT, TRANSITION, CLOCKS] = [0, 1, 2, 3, 4, 5];
/** Visits, their yield and patience, while drifting, as factors on those while active. */
const DRIFTING_VISITS = 0.45;
const DRIFTING_CONVERSION = 0.5;
const DRIFTING_TICKET_GAPS = 0.5;
const EMPTY: Record<string, string> = {};
const TOPICS: Record<string, string>[] = ['delivery', 'quality', 'payment', 'account'].map((topic) => ({ topic }));

/**
 * Customers as independent marked point processes with a hidden state (arriving → active ⇄ drifting → churned → active …),
 * merged in event time. Each customer draws from a stream of its own, seeded by its number: one customer's history can be
 * made again alone, and does not change with how many others there are.
 */
export class Population {
  private readonly random: RandomStreams;
  private readonly heap = new TimeHeap();
  /** CLOCKS times a customer, epoch milliseconds. */
  private clocks: Float64Array;
  /** Per day. */
  private visitRate: Float64Array;
  private orderValueLog: Float64Array;
  private lastAmount: Float64Array;
  private state: Uint8Array;
  private channel: Uint8Array;
  private viewsLeft: Uint8Array;
  /** Bit 0: puts something into the cart in this visit; bit 1: buys it. */
  private intent: Uint8Array;
  private eventCount: Uint32Array;
  private slots = 0;

  /** @param only just this customer, and no arrivals after it */
  constructor(private readonly p: SimulationParameters, private readonly observer?: Observer, private readonly only?: number) {
    const capacity = only === undefined ? Math.max(64, p.customers * 2) : 1;
    this.random = new RandomStreams(capacity);
    this.clocks = new Float64Array(capacity * CLOCKS);
    [this.visitRate, this.orderValueLog, this.lastAmount] = [new Float64Array(capacity), new Float64Array(capacity), new Float64Array(capacity)];
    [this.state, this.channel, this.viewsLeft, this.intent] = [new Uint8Array(capacity), new Uint8Array(capacity), new Uint8Array(capacity), new Uint8Array(capacity)];
    this.eventCount = new Uint32Array(capacity);
    const initial = only === undefined ? p.customers + (p.new_customers_per_day > 0 ? 1 : 0) : 1;
    for (let i = 0; i < initial; i++) this.addCustomer();
  }

  /** The next event in event time; undefined when nothing can happen any more. */
  next(): CustomerEvent | undefined {
    for (;;) {
      if (this.heap.topTime === Infinity) return undefined;
      const event = this.advance(this.heap.topSlot, this.heap.topTime);
      if (event !== undefined) return event;
    }
  }

  /** Event time at which something happens next. */
  get nextTime(): number { return this.heap.topTime; }

  private get baseNumber(): number { return this.only ?? 0; }

  private addCustomer(): void {
    const slot = this.slots++;
    if (slot >= this.state.length) this.grow();
    const { random, p } = this;
    const number = this.baseNumber + slot;
    random.seed(slot, p.seed, number);
    this.visitRate[slot] = random.gamma(slot, p.purchase_rate_shape, 1 / (p.purchase_gap_mean_days * p.purchase_rate_shape)) / p.conversion;
    this.orderValueLog[slot] = Math.log(p.order_value_median) + p.order_value_sigma_between * random.normal(slot);
    const u = random.uniform(slot);
    this.channel[slot] = u < 0.55 ? 0 : u < 0.75 ? 1 : u < 0.93 ? 2 : 3;
    this.clocks.fill(Infinity, slot * CLOCKS, slot * CLOCKS + CLOCKS);
    const days = number < p.customers ? p.arrival_days * random.uniform(slot) : p.arrival_days + (number - p.customers + random.uniform(slot)) / p.new_customers_per_day;
    this.clocks[slot * CLOCKS + VISIT] = p.start_ms + days * DAY_MS;
    this.heap.push(slot, this.clocks[slot * CLOCKS + VISIT]!);
  }

  private advance(slot: number, now: number): CustomerEvent | undefined {
    const base = slot * CLOCKS;
    let which = 0;
    while (this.clocks[base + which] !== now) which++;
    this.clocks[base + which] = Infinity;
    const event = this.happen(slot, which, now);
    let earliest = Infinity;
    for (let clock = 0; clock < CLOCKS; clock++) earliest = Math.min(earliest, this.clocks[base + clock]!);
    this.heap.replaceTop(earliest);
    return event;
  }

  private happen(slot: number, clock: number, now: number): CustomerEvent | undefined {
    switch (clock) {
      case STEP: return this.goOn(slot, now);
      case VISIT: return this.visit(slot, now);
      case TICKET: {
        this.annoy(slot, now);
        this.scheduleTicket(slot, now);
        return this.event(slot, now, 'support_ticket', null, null, TOPICS[Math.floor(this.random.uniform(slot) * TOPICS.length)]!);
      }
      case REFUND: {
        this.annoy(slot, now);
        return this.event(slot, now, 'refund', this.lastAmount[slot]!, null, EMPTY);
      }
      default: this.transition(slot, now); return undefined;
    }
  }

  /** A visit begins with a login; a customer's first one ends in a purchase. */
  private visit(slot: number, now: number): CustomerEvent {
    const { random, p } = this;
    const first = this.state[slot] === ARRIVING;
    if (first) {
      // the customer after the last one is known from the last one's arrival on
      if (this.only === undefined && this.p.new_customers_per_day > 0 && slot === this.slots - 1) this.addCustomer();
      this.enter(slot, ACTIVE, now);
    }
    const conversion = p.conversion * (this.state[slot] === DRIFTING ? DRIFTING_CONVERSION : 1);
    const buys = random.uniform(slot) < conversion || first;
    const carts = random.uniform(slot) < 0.25 || buys;
    this.viewsLeft[slot] = Math.min(255, 1 + random.geometric(slot, 0.3));
    this.intent[slot] = (carts ? 1 : 0) | (buys ? 2 : 0);
    this.setClock(slot, STEP, now + random.exponential(slot, 20_000));
    return this.event(slot, now, 'login', null, null, EMPTY);
  }

  /** The visit's next step: page views, then the cart, then the purchase. */
  private goOn(slot: number, now: number): CustomerEvent {
    const { random, p } = this;
    let event: CustomerEvent;
    if (this.viewsLeft[slot]! > 0) {
      this.viewsLeft[slot]!--;
      event = this.event(slot, now, 'page_view', null, null, EMPTY);
    } else if ((this.intent[slot]! & 1) !== 0) {
      this.intent[slot]! &= ~1;
      event = this.event(slot, now, 'add_to_cart', null, 1, EMPTY);
    } else {
      this.intent[slot] = 0;
      const factor = this.regimeFactor(now, 'order_value_factor');
      const amount = Math.round(100 * factor * Math.exp(this.orderValueLog[slot]! + p.order_value_sigma_within * random.normal(slot))) / 100;
      this.lastAmount[slot] = amount;
      if (random.uniform(slot) < p.refund_probability) this.setClock(slot, REFUND, now + random.exponential(slot, 5 * DAY_MS));
      this.observer?.purchased(this.baseNumber + slot, Math.round(now));
      event = this.event(slot, now, 'purchase', amount, 1 + random.geometric(slot, 0.6), EMPTY);
    }
    if (this.viewsLeft[slot]! > 0 || this.intent[slot] !== 0) this.setClock(slot, STEP, now + random.exponential(slot, 40_000));
    else this.scheduleVisit(slot, now);
    return event;
  }

  private transition(slot: number, now: number): void {
    const state = this.state[slot]!;
    if (state === ACTIVE) this.enter(slot, DRIFTING, now);
    else if (state === DRIFTING) this.enter(slot, this.random.uniform(slot) < this.p.recovery_probability ? ACTIVE : CHURNED, now);
    else this.enter(slot, ACTIVE, now);
  }

  private enter(slot: number, state: number, now: number): void {
    const { random, p } = this;
    const wasChurned = this.state[slot] === CHURNED;
    this.state[slot] = state;
    this.observer?.entered(this.baseNumber + slot, LIFE_STATES[state]!, now);
    const days = state === ACTIVE ? p.active_days_mean / this.regimeFactor(now, 'drift_hazard_factor') : state === DRIFTING ? p.drifting_days_mean : p.churned_days_mean;
    this.setClock(slot, TRANSITION, now + random.exponential(slot, days * DAY_MS));
    this.scheduleTicket(slot, now);
    if (state === CHURNED) {
      this.setClock(slot, VISIT, Infinity);
      this.setClock(slot, STEP, Infinity);
      this.viewsLeft[slot] = 0;
      this.intent[slot] = 0;
    } else if (wasChurned) {
      // the return is the visit
      this.setClock(slot, VISIT, now + random.exponential(slot, 3_600_000));
    } else if (state === ACTIVE && this.clocks[slot * CLOCKS + STEP] === Infinity && this.clocks[slot * CLOCKS + VISIT] !== Infinity) {
      this.scheduleVisit(slot, now);
    }
  }

  private annoy(slot: number, now: number): void {
    const { random, p } = this;
    if (this.state[slot] !== ACTIVE || random.uniform(slot) >= p.annoyance_probability) return;
    const at = slot * CLOCKS + TRANSITION;
    this.clocks[at] = Math.min(this.clocks[at]!, now + random.exponential(slot, 7 * DAY_MS));
  }

  private scheduleVisit(slot: number, now: number): void {
    const rate = this.visitRate[slot]! * (this.state[slot] === DRIFTING ? DRIFTING_VISITS : 1) * this.regimeFactor(now, 'visit_rate_factor');
    this.setClock(slot, VISIT, now + this.random.exponential(slot, DAY_MS / rate));
  }

  private scheduleTicket(slot: number, now: number): void {
    const { p } = this;
    const state = this.state[slot];
    const days = p.ticket_gap_mean_days * (state === DRIFTING ? DRIFTING_TICKET_GAPS : 1);
    this.setClock(slot, TICKET, state === CHURNED ? Infinity : now + this.random.exponential(slot, days * DAY_MS));
  }

  private regimeFactor(now: number, factor: 'visit_rate_factor' | 'order_value_factor' | 'drift_hazard_factor'): number {
    const { regime } = this.p;
    return regime === undefined || now < regime.at_ms ? 1 : regime[factor];
  }

  private setClock(slot: number, clock: number, time: number): void {
    this.clocks[slot * CLOCKS + clock] = time;
  }

  private event(slot: number, now: number, type: EventType, amount: number | null, quantity: number | null, properties: Record<string, string>): CustomerEvent {
    const number = this.baseNumber + slot;
    return {
      event_id: `s${this.p.seed}-${number}-${this.eventCount[slot]!++}`,
      customer_id: customerId(number),
      event_type: type,
      amount,
      quantity,
      channel: CHANNELS[this.channel[slot]!]!,
      event_time: Math.round(now),
      properties,
    };
  }

  private grow(): void {
    const wider = <T extends Float64Array | Uint8Array | Uint32Array>(old: T): T => {
      const next = new (old.constructor as new (n: number) => T)(old.length * 2);
      next.set(old as never);
      return next;
    };
    this.clocks = wider(this.clocks);
    [this.visitRate, this.orderValueLog, this.lastAmount] = [wider(this.visitRate), wider(this.orderValueLog), wider(this.lastAmount)];
    [this.state, this.channel, this.viewsLeft, this.intent] = [wider(this.state), wider(this.channel), wider(this.viewsLeft), wider(this.intent)];
    this.eventCount = wider(this.eventCount);
  }
}

/** The customer_id of a simulated customer's number. */
export const customerId = (number: number): string => `C${String(number).padStart(7, '0')}`;
export const SIMULATED_TYPES: readonly EventType[] = EVENT_TYPES.filter((type) => type !== 'other');
