import type { FeatureView } from '../../../schemas/features/declaration.js';
import { compileEncoding } from './encoding.js';
import { compileLayout } from './layout.js';
import { emptyState, type State } from './state.js';
import { compileUpdate } from './update.js';
import { compileVector } from './vector.js';

export { StateFormatError } from './encoding.js';
export { Outcome } from './update.js';
export type { State } from './state.js';

export interface Reducer {
  /** Length of the vector. */
  readonly features: number;
  /** Identifies the stored form of this view's states; another view version may share it. */
  readonly layoutHash: number;
  create(): State;
  /**
   * Takes one event, in arrival order. NaN stands for no amount and no quantity; `timeMs` is above 0; `idHash` is `hashId`
   * of the event_id; `typeCode` the place in EVENT_TYPES.
   * @returns 0 accepted, 1 duplicate (dropped), 2 too late (dropped)
   */
  update(state: State, typeCode: number, amount: number, quantity: number, timeMs: number, idHash: number): number;
  /** Writes the features as of the later of the customer's latest event and `clockMs` (0 for none) to `out` from `at`. */
  vector(state: State, clockMs: number, out: Float64Array, at: number): void;
  /** Largest event time accepted, epoch milliseconds; 0 before any. */
  latestMs(state: State): number;
  /** Bytes of memory that a state holds, about. */
  sizeOf(state: State): number;
  encodedBytesMax(state: State): number;
  encode(state: State, buffer: Uint8Array, at: number): number;
  decode(buffer: Uint8Array, start: number, end: number): State;
  /** `latestMs` of an encoded state, without decoding it. */
  encodedLatestMs(buffer: Uint8Array, start: number, end: number): number;
}

/** The object itself, its typed array and that one's buffer, as V8 lays them out. */
const OVERHEAD_BYTES = 300;

/** Compiles a view (made by `defineView`) once; what it returns is pure, allocates next to nothing and serves every customer. */
export function compileReducer(view: FeatureView): Reducer {
  const layout = compileLayout(view);
  const ids = Math.min(4, layout.ids);
  const hourRows = Math.min(2, layout.hours.span);
  const dayRows = Math.min(2, layout.days.span);
  return {
    features: layout.features,
    layoutHash: layout.hash,
    create: () => emptyState(layout, ids, hourRows, dayRows),
    update: compileUpdate(layout),
    vector: compileVector(layout),
    latestMs: (state) => state.data[0]!,
    sizeOf: (state) => OVERHEAD_BYTES + state.data.byteLength,
    ...compileEncoding(layout),
  };
}
