import type { DriftBasis, DriftRequest, DriftStatistic, Measurement } from '../../schemas/drift/measurement.js';
import type { Distribution } from '../../stream-processors/drift/report.js';

/** What the drift service said of a figure, where it has looked at this window. */
export interface Verdict {
  readonly feature: string;
  readonly segment: string;
  readonly against: DriftBasis;
  readonly statistic: string;
  readonly verdict: string;
  readonly threshold: number | null;
}

export interface DriftReport {
  readonly request: DriftRequest;
  readonly measurements: readonly Measurement[];
  readonly distributions: readonly Distribution[];
  readonly verdicts: readonly Verdict[];
}

export type Level = 'drift' | 'watch' | 'steady';

/** A feature in a segment against one base: its figures by name, and what they come to. */
export interface FeatureSummary {
  readonly feature: string;
  readonly segment: string;
  readonly figures: Readonly<Partial<Record<DriftStatistic, Measurement>>>;
  readonly level: Level;
}

/** The classic thresholds of the population stability index. */
export const PSI_WATCH = 0.1;
export const PSI_DRIFT = 0.2;
/** A missing rate that moved by so much is shown as drift. */
const MISSING_DRIFT = 0.1;

/** One entry a feature and segment, the largest shift first. @param against the base */
export function summariesOf({ measurements, verdicts }: DriftReport, against: DriftBasis): FeatureSummary[] {
  const groups = new Map<string, { feature: string; segment: string; figures: Partial<Record<DriftStatistic, Measurement>> }>();
  for (const one of measurements) {
    if (one.against !== against) continue;
    const key = `${one.segment}\n${one.feature}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { feature: one.feature, segment: one.segment, figures: {} }));
    group.figures[one.statistic] = one;
  }
  const said = new Map<string, Level>();
  for (const one of verdicts) if (one.against === against && one.verdict === 'beyond') said.set(`${one.segment}\n${one.feature}`, 'drift');
  return [...groups].map(([key, group]) => ({ ...group, level: verdicts.length > 0 ? said.get(key) ?? 'steady' : levelOf(group.figures) }))
    .sort((a, b) => Number(a.segment !== '') - Number(b.segment !== '') || size(b) - size(a) || (a.feature < b.feature ? -1 : 1));
}

function levelOf({ psi, missing_rate }: Partial<Record<DriftStatistic, Measurement>>): Level {
  const index = psi?.value ?? 0;
  const missing = Math.abs((missing_rate?.value ?? 0) - (missing_rate?.baseline ?? 0));
  if (index >= PSI_DRIFT || missing >= MISSING_DRIFT) return 'drift';
  return index >= PSI_WATCH ? 'watch' : 'steady';
}

const size = ({ figures }: FeatureSummary): number => figures.psi?.value ?? figures.missing_rate?.value ?? 0;

/** How the levels came about, for the foot of a report. */
export const rule = ({ verdicts }: DriftReport): string =>
  verdicts.length > 0
    ? 'drift: beyond the threshold that follows from the false-alarm budget (drift_reports)'
    : `drift: population stability index from ${PSI_DRIFT} or missing rate moved by ${MISSING_DRIFT}; watch: index from ${PSI_WATCH}`;

export const day = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ');
