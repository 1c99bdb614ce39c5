import type { CustomerEvent } from '../../../schemas/events/customer-event.js';
import { withFault } from './planted-fault.js';
import { Population } from './population.js';
import { RandomStreams } from './random.js';
import type { SimulationParameters } from './simulation-parameters.js';

interface Delayed {
  readonly at: number;
  readonly event: CustomerEvent;
}

/**
 * The events of a simulated shop in the order in which they arrive: event time, except for a few that come late and a few
 * that come twice. Endless, and the same for the same parameters.
 */
export class Simulator {
  private readonly population: Population;
  private readonly random = new RandomStreams(1);
  /** Late events and second copies, by arrival; a handful at any time. */
  private readonly delayed: Delayed[] = [];
  private upcoming: CustomerEvent | undefined;
  /** Events given so far. */
  position = 0;

  constructor(private readonly p: SimulationParameters) {
    this.population = new Population(p);
    this.random.seed(0, p.seed, -1);
    this.upcoming = this.population.next();
  }

  /** Simulated time at which the next event arrives, epoch milliseconds; at or after its event_time. */
  get nextArrival(): number {
    return Math.min(this.upcoming?.event_time ?? Infinity, this.delayed[0]?.at ?? Infinity);
  }

  next(): CustomerEvent | undefined {
    for (;;) {
      const arrival = this.nextArrival;
      const event = this.arrive();
      if (event === undefined) return undefined;
      const sent = withFault(event, arrival, this.p.fault);
      if (sent !== undefined) return sent;
    }
  }

  private arrive(): CustomerEvent | undefined {
    for (;;) {
      const first = this.delayed[0];
      const { upcoming } = this;
      if (first !== undefined && (upcoming === undefined || first.at <= upcoming.event_time)) {
        this.delayed.shift();
        this.position++;
        return first.event;
      }
      if (upcoming === undefined) return undefined;
      this.upcoming = this.population.next();
      if (this.random.uniform(0) < this.p.duplicate_probability) this.delay(upcoming);
      if (this.random.uniform(0) >= this.p.late_probability) {
        this.position++;
        return upcoming;
      }
      this.delay(upcoming);
    }
  }

  /** Goes to a position without giving the events before it. */
  skipTo(position: number): void {
    while (this.position < position && this.next() !== undefined);
  }

  private delay(event: CustomerEvent): void {
    const at = Math.round(event.event_time + this.random.exponential(0, this.p.late_mean_s * 1000));
    let place = this.delayed.length;
    while (place > 0 && this.delayed[place - 1]!.at > at) place--;
    this.delayed.splice(place, 0, { at, event });
  }
}
