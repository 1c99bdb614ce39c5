import type { DomainClassifier, DomainRows } from '../../../schemas/drift/domain.js';
import type { DriftBasis, Measurement } from '../../../schemas/drift/measurement.js';
import { domainAuc } from '../../../stream-processors/drift/core/domain-auc.js';
import { joinSides, type SampledRows } from '../../../stream-processors/drift/multivariate.js';
import { seeded } from '../../support/random.js';
import { FEATURES, type Shop } from './shop.js';

/** Rows of days [from, to), drawn at random. */
export function sampleOf(shop: Shop, from: number, to: number, rowsMax: number, seed: number): SampledRows {
  const random = seeded(seed * 7919 + from);
  const all: [day: number, row: number][] = [];
  for (let day = from; day < to; day++) for (let row = 0; row < shop.rows[day]!.at.length; row++) all.push([day, row]);
  const drawn = Math.min(rowsMax, all.length);
  for (let i = 0; i < drawn; i++) {
    const other = i + random.below(all.length - i);
    [all[i], all[other]] = [all[other]!, all[i]!];
  }
  const kept = all.slice(0, drawn);
  return {
    feature_names: FEATURES,
    values: Float32Array.from(kept.flatMap(([day, row]) => shop.rows[day]!.values.slice(row * FEATURES.length, (row + 1) * FEATURES.length))),
    customers: kept.map(([day, row]) => shop.rows[day]!.customers[row]!),
    on_event: kept.map(([day, row]) => shop.rows[day]!.on_event[row]!),
  };
}

/** As the service measures it, rows of the shop in the place of those in ClickHouse. */
export async function togetherOf(classify: DomainClassifier, window: SampledRows, bases: readonly (readonly [DriftBasis, SampledRows])[], seed: number): Promise<Measurement[]> {
  const measured: Measurement[] = [];
  for (const [against, base] of bases) {
    const rows: DomainRows | undefined = joinSides(window, base);
    const found = rows === undefined ? undefined : domainAuc(rows.labels, await classify(rows, seed), rows.folds);
    if (rows !== undefined && found !== undefined)
      measured.push({ feature: 'multivariate', segment: '', against, statistic: 'domain_auc', value: found.auc, baseline: 0, p: found.p, degrees: 0, n: rows.rows / 2, n_reference: rows.rows / 2 });
  }
  return measured;
}
