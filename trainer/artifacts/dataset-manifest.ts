import { createHash } from 'node:crypto';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { within } from '../core/plan.js';
import type { Dataset } from '../dataset/read.js';

/** A file of a stored training set. */
export interface StoredFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly md5: string;
  readonly sha256: string;
}

/**
 * What stands beside the rows of a stored training set, as JSON: `data_hash` covers view, plan and the rows as they were read, `ranges` are
 * the offsets [from_offset, to_offset) of each partition of customer-events, times are epoch milliseconds. Nothing in it
 * depends on the clock: the same rows of the same events have the same text, and its sha256 is the set's id.
 */
export function datasetManifest(view: Pick<FeatureView, 'name' | 'version'>, { rows, customer_ids, data_hash, plan, sampling, lineage }: Dataset, files: readonly StoredFile[]): string {
  const { ranges, query, parameters } = lineage;
  let held = 0;
  let churned = 0;
  for (let row = 0; row < rows.rows; row++) {
    if (within(plan.holdout, rows.at[row]!)) held++;
    churned += rows.labels[row]!;
  }
  return `${JSON.stringify({
    kind: 'tidemark training set', format: 1,
    view: view.name, view_version: view.version, features: rows.feature_names,
    rows: rows.rows, rows_train: rows.rows - held, rows_holdout: held, rows_churned: churned, customers: customer_ids.length,
    data_hash,
    watermark: Math.max(...ranges.map((range) => range.watermark)),
    events: ranges.reduce((sum, range) => sum + range.events, 0),
    ranges, plan, sampling,
    query: { file: 'query.sql', sha256: sha256(query), parameters },
    files,
  }, undefined, 2)}\n`;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
