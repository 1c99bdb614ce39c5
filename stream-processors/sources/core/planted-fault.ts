import type { CustomerEvent } from '../../../schemas/events/customer-event.js';

/** Faults of producers, as they happen: what they do to events is wrong, the customers behave as ever. */
export const FAULT_KINDS = ['nulls', 'scale', 'zone', 'silence'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlantedFault {
  readonly kind: FaultKind;
  /** Simulated arrival, epoch milliseconds, [from, to). */
  readonly from_ms: number;
  readonly to_ms: number;
}

/** Cents instead of dollars, a producer that takes its local time for UTC, the channel whose producer dies. */
const SCALE = 100;
const ZONE_MS = -9 * 3_600_000;
const SILENT_CHANNEL = 'web';

/** The event as a faulty producer sends it; undefined where it sends nothing. */
export function withFault(event: CustomerEvent, arrivalMs: number, fault: PlantedFault | undefined): CustomerEvent | undefined {
  if (fault === undefined || arrivalMs < fault.from_ms || arrivalMs >= fault.to_ms) return event;
  switch (fault.kind) {
    case 'nulls': return { ...event, amount: null };
    case 'scale': return { ...event, amount: event.amount === null ? null : event.amount * SCALE };
    case 'zone': return { ...event, event_time: event.event_time + ZONE_MS };
    default: return event.channel === SILENT_CHANNEL ? undefined : event;
  }
}
