import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient } from '../runtime/clickhouse.js';
import { PROJECT_ROOT } from '../runtime/paths.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { featureNames } from '../schemas/features/derive.js';
import { TENURE_FEATURE, tenureSegmentSql } from '../schemas/segments.js';

/** Views that analysts call and services read, each after those it reads itself. They hold no data: `migrate` writes them as they are now. */
export const VIEWS = ['label_watermark', 'labels', 'performance', 'estimated_performance', 'scores'] as const;
export type ViewName = (typeof VIEWS)[number];

const FOLDER = join(PROJECT_ROOT, 'clickhouse', 'views');
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8').trimEnd();

/** A score's place among 81 bins, a quarter of a unit of log-odds wide, from -40 to 40. */
const SCORE_BIN = 'toInt16(greatest(-40, least(40, floor(4 * log(score / (1 - score))))))';

/** The SELECT of a view, with its parameters. */
export function viewSql(name: ViewName, view: FeatureView): string {
  const tenure = featureNames(view).includes(TENURE_FEATURE) ? tenureSegmentSql(TENURE_FEATURE) : "''";
  return read(`${name}.sql`)
    .replaceAll('__FIGURES__', () => read('parts/figures.sql'))
    .replaceAll('__TENURE__', () => tenure)
    .replaceAll('__SCORE_BIN__', () => SCORE_BIN)
    .replaceAll('__FEATURES__', () => featureNames(view).map((name) => `toFloat32(${name})`).join(', '));
}

/** The labels of some customers only. @param customers a query that gives their ids */
export const labelsOf = (view: FeatureView, customers: string): string =>
  viewSql('labels', view).replaceAll('/* customers */', () => `AND customer_id IN (${customers})`);

/** Creates the views that are missing and replaces those that were written from another text. */
export async function applyViews(client: ClickHouseClient, view: FeatureView): Promise<void> {
  const result = await client.query({ query: "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND engine = 'View'", format: 'JSONEachRow' });
  const present = new Map((await result.json<{ name: string; comment: string }>()).map(({ name, comment }) => [name, comment]));
  for (const name of VIEWS) {
    const sql = viewSql(name, view);
    const comment = `tidemark ${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
    if (present.get(name) !== comment) await client.command({ query: `CREATE OR REPLACE VIEW ${name} AS ${sql} COMMENT '${comment}'` });
  }
}
