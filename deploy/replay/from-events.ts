import { hashId } from '../../schemas/events/hash-id.js';
import { Outcome, type Reducer, type State } from '../../stream-processors/features/core/reducer.js';
import type { LandedEvent, StoredPrediction } from './stored.js';

/** What the customer's events give, and how far they were taken in. */
export interface FromEvents {
  /** In view order. */
  readonly values: Float64Array;
  /** Records taken in, up to and with `until`. */
  readonly records: number;
  readonly duplicates: number;
  readonly too_late: number;
  readonly until: Pick<LandedEvent, 'event_id' | 'event_time' | 'kafka_offset'>;
}

type Asked = Pick<StoredPrediction, 'event_id' | 'event_time' | 'produced_at' | 'trigger'>;

/**
 * Computes a prediction's vector anew, by the stream's own reducer, from the customer's events in the order of their arrival.
 *
 * After an event the state is that with the event itself: the record with its id that was appended when the prediction
 * says, since an id that comes again much later counts again. In a sweep it is one with at least the event of the
 * customer's prediction before, and no event that was appended after the sweep; where several are possible, the first that
 * gives the stored vector.
 * @param expected the stored values, in view order
 * @param before the event of the customer's latest prediction before; only asked for in a sweep
 * @returns undefined where the event is not among those that landed
 */
export async function vectorFromEvents(
  reducer: Reducer, events: AsyncIterable<LandedEvent> | Iterable<LandedEvent>, asked: Asked, expected: readonly number[], before?: { event_id: string; produced_at: number },
): Promise<FromEvents | undefined> {
  const state = reducer.create();
  const counts = { records: 0, duplicates: 0, too_late: 0 };
  const start = asked.trigger === 'event' ? asked : before;
  let started = start === undefined;
  let found: FromEvents | undefined;
  for await (const event of events) {
    if (started && asked.trigger === 'sweep' && event.kafka_time > asked.produced_at) break;
    counts.records++;
    const outcome = reducer.update(state, event.type_code, event.amount, event.quantity, event.event_time, hashId(event.event_id));
    if (outcome === Outcome.duplicate) counts.duplicates++;
    if (outcome === Outcome.tooLate) counts.too_late++;
    if (outcome !== Outcome.accepted) continue;
    if (event.event_id === start?.event_id && event.kafka_time === start.produced_at) started = true;
    if (!started) continue;
    const values = vectorOf(reducer, state, asked.trigger === 'sweep' ? asked.event_time : 0);
    const here: FromEvents = { values, ...counts, until: event };
    // The last one possible stands where none is equal.
    found = here;
    if (asked.trigger === 'event' || expected.every((value, i) => Object.is(value, values[i]!))) break;
  }
  return found;
}

function vectorOf(reducer: Reducer, state: State, clockMs: number): Float64Array {
  const values = new Float64Array(reducer.features);
  reducer.vector(state, clockMs, values, 0);
  return values;
}
