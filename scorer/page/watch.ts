import type { FeatureView } from '../../schemas/features/declaration.js';
import { readVarint, skipVarint } from '../core/wire.js';
import { FRAME_BYTES } from '../../runtime/registry/wire-format.js';
import type { LoadedModel } from '../model/load.js';
import { predictionReader } from '../store/prediction.js';
import type { Scored } from '../stream/score-records.js';
import { createJumps, type Jump } from './core/jumps.js';
import { createPulse, type PulseReading } from './core/pulse.js';
import { reasonsOf, type Reason } from './why.js';

/** A risen customer as the page shows it. */
export interface Riser {
  readonly customer_id: string;
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly trigger: string;
  readonly channel: string;
  readonly reasons: readonly Reason[];
}

/** What the page tells of this process's own stream. */
export interface StreamWatch {
  /** Committed rows, before the online store takes them. */
  seen(committed: readonly Scored[]): void;
  pulse(): PulseReading;
  risers(): readonly Riser[];
}

export interface StreamWatchOptions {
  readonly view: FeatureView;
  readonly threshold: number;
  readonly clock: () => number;
  /** The customer's prediction before this one. */
  before(customerId: string): Buffer | undefined;
  model(): LoadedModel | undefined;
}

const JUMPS = { most: 12, window_ms: 600_000, rise_min: 0.05 } as const;
const PREDICTION_STRINGS = 3;
const PREDICTION_TIMES = 2;

/** The score of a framed prediction: it stands behind three texts and two times. */
export function scoreOfPrediction(framed: Buffer): number {
  let at = FRAME_BYTES;
  for (let i = 0; i < PREDICTION_STRINGS; i++) at = skipVarint(framed, at, framed.length) + readVarint(framed, at);
  for (let i = 0; i < PREDICTION_TIMES; i++) at = skipVarint(framed, at, framed.length);
  return framed.readDoubleLE(at);
}

export function createStreamWatch({ view, threshold, clock, before, model }: StreamWatchOptions): StreamWatch {
  const pulse = createPulse();
  const jumps = createJumps<Buffer>(JUMPS);
  const read = predictionReader(view);
  /** A riser's reasons do not change while the jump does not. */
  let told = new Map<Jump<Buffer>, Riser>();

  function tell(jump: Jump<Buffer>): Riser {
    const [former, latest] = [read(jump.before), read(jump.after)];
    const loaded = model();
    return { customer_id: jump.customerId, at: jump.at, from: jump.from, to: jump.to, trigger: latest.trigger, channel: latest.channel, reasons: loaded === undefined ? [] : reasonsOf(view, loaded, former.values, latest.values) };
  }
  return {
    seen(committed) {
      const now = clock();
      pulse.advance(now);
      for (const { customerId, prediction, producedAt, featuresAt, scoredAt } of committed) {
        if (prediction === null) continue;
        const score = scoreOfPrediction(prediction);
        pulse.add(score, score >= threshold, featuresAt - producedAt, scoredAt - featuresAt, now - scoredAt, now - producedAt);
        if (!jumps.concerns(customerId, score)) continue;
        const former = before(customerId);
        // Rows stand in slabs of many rows: what is kept for minutes is copied.
        if (former !== undefined) jumps.offer({ customerId, at: now, from: scoreOfPrediction(former), to: score, before: Buffer.from(former), after: Buffer.from(prediction) });
      }
    },
    pulse: () => pulse.read(clock()),
    risers() {
      const list = jumps.list(clock());
      const next = new Map(list.map((jump) => [jump, told.get(jump) ?? tell(jump)]));
      told = next;
      return [...next.values()];
    },
  };
}

