import type { ScoringSession } from '../../runtime/models/session.js';
import { problemJson, type Problem } from '../api/problem.js';
import { decide, FALLBACK_SCORE, isScore } from '../core/decision.js';
import type { Rows } from './rows.js';

/** Rows of one call: nobody waits on a worker's thread, so the cheapest size. */
const CALL_ROWS = 512;

export interface BulkModel {
  readonly session: ScoringSession;
  readonly version: string;
  readonly viewVersion: number;
  readonly threshold: number;
}

/** Scores of the rows; those that are no probability are FALLBACK_SCORE, and `degraded` says which. */
export interface Scores { readonly scores: Float64Array; readonly degraded: Uint8Array }

export function scoreRows({ session }: BulkModel, matrix: Float32Array, count: number): Scores {
  const scores = new Float64Array(count);
  const degraded = new Uint8Array(count);
  const width = session.featureCount;
  for (let at = 0; at < count; at += CALL_ROWS) {
    const rows = Math.min(CALL_ROWS, count - at);
    session.score(matrix.subarray(at * width, (at + rows) * width), rows, scores, at);
  }
  for (let i = 0; i < count; i++) {
    if (isScore(scores[i] as number)) continue;
    scores[i] = FALLBACK_SCORE;
    degraded[i] = 1;
  }
  return { scores, degraded };
}

/** The answer to a list of rows. */
export function batchJson(model: BulkModel, rows: Rows, { scores, degraded }: Scores, scoredAt: number, absent: ReadonlyMap<number, Problem>): string {
  const names = namesOf(rows);
  const ends = [false, true].map((bad) => (['keep', 'at_risk'] as const).map((decision) => `,"decision":"${decision}","degraded":${bad}}`));
  let text = `{"model_version":${JSON.stringify(model.version)},"view_version":${model.viewVersion},"scored_at":"${new Date(scoredAt).toISOString()}","predictions":[`;
  for (let i = rows.from; i < rows.from + rows.count; i++) {
    const score = scores[i] as number;
    const start = names === undefined ? '{' : startOf(names, i);
    const problem = absent.size === 0 ? undefined : absent.get(i);
    if (i > rows.from) text += ',';
    text += problem === undefined ? `${start}"score":${score}${ends[degraded[i] as number]![score >= model.threshold ? 1 : 0]}` : `${start}"error":${problemJson(problem)}}`;
  }
  return `${text}]}`;
}

/** One line a row, in the rows' order. */
export function batchLines(model: BulkModel, rows: Rows, { scores, degraded }: Scores, scoredAt: number, absent: ReadonlyMap<number, Problem>): string {
  const names = namesOf(rows);
  const end = `,"model_version":${JSON.stringify(model.version)},"view_version":${model.viewVersion},"scored_at":"${new Date(scoredAt).toISOString()}"}\n`;
  let text = '';
  for (let i = rows.from; i < rows.from + rows.count; i++) {
    const score = scores[i] as number;
    const start = names === undefined ? '{' : startOf(names, i);
    const problem = rows.problems.get(i) ?? absent.get(i);
    text += problem === undefined
      ? `${start}"score":${score},"decision":"${decide(score, model.threshold)}","degraded":${degraded[i] === 1}${end}`
      : `${start}"error":${problemJson(problem)}}\n`;
  }
  return text;
}

const namesOf = ({ customers }: Rows): Map<number, string> | undefined => (customers.length === 0 ? undefined : new Map(customers.map(({ row, id }) => [row, id])));
function startOf(names: ReadonlyMap<number, string>, row: number): string {
  const id = names.get(row);
  return id === undefined ? '{' : `{"customer_id":${JSON.stringify(id)},`;
}
