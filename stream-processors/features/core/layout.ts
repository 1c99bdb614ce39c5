import { EVENT_TYPES, type EventType } from '../../../schemas/events/customer-event.js';
import type { AggregateFeature, FeatureView } from '../../../schemas/features/declaration.js';
import { horizonDays } from '../../../schemas/features/horizon.js';
import { hashId } from '../../../schemas/events/hash-id.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const FORMAT_VERSION = 1;

/** What a column of a row holds. Moments take three columns: count, mean, sum of squared differences from the mean. */
export const Kind = { count: 0, sum: 1, min: 2, max: 3, moments: 4 } as const;
/** How a feature is read from accumulated columns. */
export const Read = { plain: 0, mean: 1, std: 2 } as const;
/** Places of the values that an event brings; gaps of sequence n follow at `gap + n`. */
export const Value = { none: -1, amount: 0, quantity: 1, gap: 2 } as const;

export interface Slot {
  readonly kind: number;
  readonly value: number;
  readonly types: readonly number[];
  readonly column: number;
}

/** Features of one window: `reads` holds triplets of column, Read, place in the vector. */
export interface WindowPlan {
  readonly size: number;
  readonly reads: Int32Array;
}

/** The columns of one kind of row (hour bucket, day bucket, lifetime) and what an event of each type does to them. */
export interface Lane {
  readonly slots: readonly Slot[];
  readonly width: number;
  /** Columns [0, counts) are counts; [0, additive), counts and sums, are added up; then [additive, minsEnd) minima, [minsEnd, maxsEnd) maxima, then moments. */
  readonly counts: number;
  readonly additive: number;
  readonly minsEnd: number;
  readonly maxsEnd: number;
  /** Count columns of which the number of rows above 0 is wanted; accumulated behind the width, in this order. */
  readonly distinct: Int32Array;
  /** Buckets of the longest window: older rows are dropped. */
  readonly span: number;
  /** By type code, triplets of Kind, column, value place. */
  readonly ops: readonly Int32Array[];
  readonly windows: readonly WindowPlan[];
}

/** Everything about a view that the reducer needs, resolved once. Scalars stand as [T, sequences, firsts, lasts, lifetime row]. */
export interface Layout {
  readonly hash: number;
  readonly horizonDays: number;
  readonly ids: number;
  readonly hours: Lane;
  readonly days: Lane;
  readonly life: Lane;
  readonly scalars: number;
  readonly sequenceBase: number;
  readonly firstBase: number;
  readonly lastBase: number;
  readonly lifeBase: number;
  /** By type code: sequence numbers; first numbers; triplets of last number, sequence number, value place. */
  readonly sequencesOf: readonly Int32Array[];
  readonly firstsOf: readonly Int32Array[];
  readonly lastsOf: readonly Int32Array[];
  readonly sequences: number;
  /** Triplets of scalar index, milliseconds a unit, place in the vector. */
  readonly since: Float64Array;
  /** Pairs of scalar index, place in the vector. */
  readonly lasts: Int32Array;
  /** Triplets of numerator, denominator, own place in the vector. */
  readonly ratios: Int32Array;
  readonly features: number;
}

type Types = readonly number[];
interface Want { kind: number; value: number; types: Types; size: number; read: number; place: number; distinct: boolean }

/** Resolves a view (checked by `defineView`) into slots shared between features: one purchases-a-day column feeds every window. */
export function compileLayout(view: FeatureView): Layout {
  const sequences = new Register<Types>();
  const firsts = new Register<Types>();
  const lasts = new Register<{ types: Types; value: number; sequence: number }>();
  const wants: Record<'hours' | 'days' | 'lifetime', Want[]> = { hours: [], days: [], lifetime: [] };
  const since: { first: boolean; index: number; unitMs: number; place: number }[] = [];
  const lastReads: { index: number; place: number }[] = [];
  const ratios: number[] = [];
  const placeOf = new Map(view.features.map((feature, place) => [feature.name, place]));

  view.features.forEach((feature, place) => {
    if (feature.aggregate === 'ratio') {
      ratios.push(placeOf.get(feature.numerator)!, placeOf.get(feature.denominator)!, place);
      return;
    }
    const types = typeCodes(feature.of);
    const key = types.join();
    const unitMs = feature.unit === 'hours' ? HOUR_MS : DAY_MS;
    const size = feature.window.unit === 'lifetime' ? 0 : feature.window.size;
    const want = (kind: number, value: number, read: number = Read.plain, distinct = false): void => {
      wants[feature.window.unit].push({ kind, value, types, size, read, place, distinct });
    };
    switch (feature.aggregate) {
      case 'count': return want(Kind.count, Value.none);
      case 'distinct_days': return want(Kind.count, Value.none, Read.plain, true);
      case 'sum': return want(Kind.sum, valueOf(feature));
      case 'min': return want(Kind.min, valueOf(feature));
      case 'max': return want(Kind.max, valueOf(feature));
      case 'mean': return want(Kind.moments, valueOf(feature), Read.mean);
      case 'std': return want(Kind.moments, valueOf(feature), Read.std);
      case 'gap_mean': return want(Kind.moments, Value.gap + sequences.add(key, types), Read.mean);
      case 'gap_std': return want(Kind.moments, Value.gap + sequences.add(key, types), Read.std);
      case 'time_since': since.push({ first: false, index: sequences.add(key, types), unitMs, place }); return;
      case 'tenure': since.push({ first: true, index: firsts.add(key, types), unitMs, place }); return;
      case 'last': {
        const sequence = sequences.add(key, types);
        lastReads.push({ index: lasts.add(`${key}|${feature.value}`, { types, value: valueOf(feature), sequence }), place });
      }
    }
  });

  const hours = compileLane(wants.hours);
  const days = compileLane(wants.days);
  const life = compileLane(wants.lifetime);
  const sequenceBase = 1;
  const firstBase = sequenceBase + sequences.items.length;
  const lastBase = firstBase + firsts.items.length;
  const lifeBase = lastBase + lasts.items.length;
  const horizon = horizonDays(view);
  const identity = { dedupe: view.dedupeRecords, horizon: String(horizon), lanes: [hours, days, life].map(({ slots, span }) => ({ slots, span })),
    sequences: sequences.items, firsts: firsts.items, lasts: lasts.items };
  return {
    hash: hashId(JSON.stringify(identity)) >>> 0,
    horizonDays: horizon,
    ids: view.dedupeRecords,
    hours, days, life,
    scalars: lifeBase + life.width,
    sequenceBase, firstBase, lastBase, lifeBase,
    sequencesOf: byType((code) => sequences.items.flatMap((types, i) => (types.includes(code) ? [i] : []))),
    firstsOf: byType((code) => firsts.items.flatMap((types, i) => (types.includes(code) ? [i] : []))),
    lastsOf: byType((code) => lasts.items.flatMap((last, i) => (last.types.includes(code) ? [i, last.sequence, last.value] : []))),
    sequences: sequences.items.length,
    since: Float64Array.from(since.flatMap(({ first, index, unitMs, place }) => [(first ? firstBase : sequenceBase) + index, unitMs, place])),
    lasts: Int32Array.from(lastReads.flatMap(({ index, place }) => [lastBase + index, place])),
    ratios: Int32Array.from(ratios),
    features: view.features.length,
  };
}

function compileLane(wants: readonly Want[]): Lane {
  const register = new Register<Want>();
  for (const want of wants) register.add(slotKey(want), want);
  const ordered = [...register.items].sort((a, b) => a.kind - b.kind);
  const slots: Slot[] = [];
  const columnOf = new Map<string, number>();
  let width = 0;
  for (const { kind, value, types } of ordered) {
    columnOf.set(slotKey({ kind, value, types }), width);
    slots.push({ kind, value, types, column: width });
    width += kind === Kind.moments ? 3 : 1;
  }
  const endOf = (most: number): number => slots.filter((slot) => slot.kind <= most).length;
  const distinct = [...new Set(wants.filter((want) => want.distinct).map((want) => columnOf.get(slotKey(want))!))];
  const columnRead = (want: Want): number => (want.distinct ? width + distinct.indexOf(columnOf.get(slotKey(want))!) : columnOf.get(slotKey(want))!);
  const sizes = [...new Set(wants.map((want) => want.size))].sort((a, b) => a - b);
  return {
    slots, width,
    counts: endOf(Kind.count), additive: endOf(Kind.sum), minsEnd: endOf(Kind.min), maxsEnd: endOf(Kind.max),
    distinct: Int32Array.from(distinct),
    span: sizes.at(-1) ?? 0,
    ops: byType((code) => slots.flatMap((slot) => (slot.types.includes(code) ? [slot.kind, slot.column, slot.value] : []))),
    windows: sizes.map((size) => ({
      size,
      reads: Int32Array.from(wants.filter((want) => want.size === size).flatMap((want) => [columnRead(want), want.read, want.place])),
    })),
  };
}

const slotKey = (slot: { kind: number; value: number; types: Types }): string => `${slot.kind}|${slot.value}|${slot.types.join()}`;
const byType = (list: (code: number) => number[]): Int32Array[] => EVENT_TYPES.map((_, code) => Int32Array.from(list(code)));
const valueOf = (feature: AggregateFeature): number => (feature.value === 'quantity' ? Value.quantity : Value.amount);

/** Sorted codes, so that two spellings of one filter share their slots. */
function typeCodes(of: readonly EventType[] | null): Types {
  return (of ?? EVENT_TYPES).map((type) => EVENT_TYPES.indexOf(type)).sort((a, b) => a - b);
}

/** Numbers distinct things in the order they come. */
class Register<T> {
  readonly items: T[] = [];
  private readonly indexes = new Map<string, number>();
  add(key: string, item: T): number {
    const known = this.indexes.get(key);
    if (known !== undefined) return known;
    this.indexes.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}
