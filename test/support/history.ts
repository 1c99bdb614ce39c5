import { EVENT_TYPES, type EventType } from '../../schemas/events/customer-event.js';
import type { OracleEvent } from './oracle.js';
import { seeded, type Random } from './random.js';

const HOUR = 3_600_000;
const DAY = 86_400_000;

/** A record of a history: an event and where it stands in Kafka. */
export interface HistoryRecord extends OracleEvent {
  kafka_partition: number;
  kafka_offset: number;
}

export interface HistoryOptions {
  seed: number;
  customers: number;
  eventsPerCustomer: number;
  /** Share of the events that arrive late, by up to `lateDaysMax` days. */
  late?: number;
  lateDaysMax?: number;
  /** Share of the records that come again, mostly soon after. */
  duplicates?: number;
  partitions?: number;
}

/**
 * Adversarial histories: many events in the same hour, day or millisecond, on bucket edges, late within and past the
 * windows, repeated within and past the duplicate horizon, without amounts, with zero and negative ones.
 */
export function randomHistory(options: HistoryOptions): HistoryRecord[] {
  const { seed, customers, eventsPerCustomer, late = 0.15, lateDaysMax = 120, duplicates = 0.1, partitions = 3 } = options;
  const random = seeded(seed);
  const base = Date.UTC(2024, 1, 1) + random.below(DAY);
  const streams = Array.from({ length: customers }, (_, customer) => {
    const events: OracleEvent[] = [];
    const pace = random.pick([0.02, 0.3, 3, 15]);
    let clock = base + random.below(20 * DAY);
    let number = 0;
    while (events.length < eventsPerCustomer) {
      if (events.length > 0 && random.chance(duplicates)) {
        const copy = events[Math.max(0, events.length - 1 - random.below(random.chance(0.8) ? 10 : 45))]!;
        events.push(random.chance(0.5) ? { ...copy } : { ...copy, event_time: copy.event_time + random.below(3 * DAY) });
        continue;
      }
      // Some come in the very same millisecond as the one before.
      if (random.chance(0.9)) clock += Math.round(random.exponential() * pace * DAY);
      if (random.chance(0.1)) clock = Math.floor(clock / DAY) * DAY + (random.chance(0.5) ? DAY - 1 : DAY);
      const event_time = random.chance(late) ? clock - random.below(lateDaysMax * DAY) : clock;
      events.push(randomEvent(random, `c${customer}`, `${customer}-${number++}`, event_time));
    }
    return events;
  });
  return interleave(random, streams, partitions);
}

function randomEvent(random: Random, customer_id: string, event_id: string, event_time: number): OracleEvent {
  const event_type = random.chance(0.4) ? 'purchase' : random.pick(EVENT_TYPES);
  const cents = random.pick([0, 0, 2933, 1_000_000, random.below(50_000), random.below(50_000), -random.below(5_000)]);
  return {
    event_id, customer_id, event_type, event_time,
    amount: random.chance(0.2) ? null : random.chance(0.2) ? random() * 100 : cents / 100,
    quantity: random.chance(0.4) ? null : random.below(5),
  };
}

/**
 * A shop as shops are: customers who buy, look, drift away, complain and come back, in event-time order but for a few late
 * records. Amounts are log-normal, visits Poisson with a rate of the customer's own.
 */
export function shopHistory(options: { seed: number; customers: number; days: number; partitions?: number }): HistoryRecord[] {
  const random = seeded(options.seed);
  const base = Date.UTC(2025, 0, 1);
  const streams = Array.from({ length: options.customers }, (_, customer) => {
    const events: OracleEvent[] = [];
    const visitsPerDay = 0.03 + 0.4 * random.exponential() * random();
    const leaveAfter = random.exponential() * 200 * DAY;
    const orderValue = Math.exp(3.2 + 0.5 * random.normal());
    let clock = base + random.below(options.days * DAY * 0.6);
    const end = Math.min(base + options.days * DAY, clock + leaveAfter);
    let number = 0;
    const add = (event_type: EventType, amount: number | null, quantity: number | null): void => {
      const event_time = Math.round(random.chance(0.02) ? clock - random() * 6 * HOUR : clock);
      events.push({ event_id: `e${customer}-${number++}`, customer_id: `customer-${customer}`, event_type, amount, quantity, event_time });
    };
    for (; clock < end; clock += (random.exponential() / visitsPerDay) * DAY) {
      add('login', null, null);
      for (let views = random.below(4); views > 0; views--, clock += random() * 120_000) add('page_view', null, null);
      if (random.chance(0.4)) add('add_to_cart', null, 1 + random.below(3));
      if (random.chance(0.3)) {
        const amount = Math.round(orderValue * Math.exp(0.4 * random.normal()) * 100) / 100;
        add('purchase', amount, 1 + random.below(4));
        if (random.chance(0.06)) { clock += DAY * random.exponential(); add('refund', amount, 1); }
      }
      if (random.chance(0.04)) add('support_ticket', null, null);
    }
    return events;
  });
  const order = streams.flat().map((event, i) => ({ event, i })).sort((a, b) => a.event.event_time - b.event.event_time || a.i - b.i);
  return place(order.map(({ event }) => event), options.partitions ?? 3);
}

/** Mixes the customers' streams at random, each in its own order. */
function interleave(random: Random, streams: OracleEvent[][], partitions: number): HistoryRecord[] {
  const order = streams.flatMap((stream, i) => stream.map(() => i));
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const next = streams.map(() => 0);
  return place(order.map((stream) => streams[stream]![next[stream]!++]!), partitions);
}

/** Gives each event a place in Kafka: a customer's records stand on one partition, offsets rise with gaps (control records). */
export function place(events: readonly OracleEvent[], partitions: number): HistoryRecord[] {
  const partitionOf = new Map<string, number>();
  const offsets = new Array<number>(partitions).fill(0);
  return events.map((event) => {
    let partition = partitionOf.get(event.customer_id);
    if (partition === undefined) partitionOf.set(event.customer_id, partition = partitionOf.size % partitions);
    const offset = offsets[partition]!;
    offsets[partition] = offset + (offset % 7 === 6 ? 2 : 1);
    return { ...event, kafka_partition: partition, kafka_offset: offset };
  });
}
