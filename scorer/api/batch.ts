import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { z } from 'zod';
import { featureNames } from '../../schemas/features/derive.js';
import { BATCH_ROWS_MAX } from '../bulk/rows.js';
import { DECISIONS } from '../core/decision.js';
import { streamLines } from './batch-lines.js';
import { JSON_TYPE, readBytes, type BodyRule } from './body.js';
import { predictSchemas } from './predict-request.js';
import { beginAnswer, INTERNAL, isProblem, OVERLOADED, sendProblem, type TaggedResponse } from './problem.js';
import type { Finish, Route } from './route.js';
import type { ServerParts } from './server.js';

export const BATCH_BYTES_MAX = 16 * 1024 * 1024;
const LINES_TYPE = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines)\s*(?:;|$)/i;
const CSV_TYPE = /^text\/csv\s*(?:;|$)/i;
const RULE: BodyRule = {
  bytesMax: BATCH_BYTES_MAX, type: new RegExp(`${JSON_TYPE.source}|${CSV_TYPE.source}`, 'i'), typeName: 'application/json, text/csv or application/x-ndjson',
};

const prediction = z.object({
  customer_id: z.string().optional(), score: z.number().min(0).max(1).optional(), decision: z.enum(DECISIONS).optional(), degraded: z.boolean().optional(),
  error: z.looseObject({ status: z.int(), code: z.string(), detail: z.string() }).optional().describe('instead of a score: the customer is unknown'),
});
const answer = z.object({ model_version: z.string(), view_version: z.int(), scored_at: z.iso.datetime(), predictions: z.array(prediction).describe('in the order of the rows') });

/** POST /batch-predict: many rows, as a list or as lines, scored on a thread of their own. */
export function routeBatch(parts: Pick<ServerParts, 'view' | 'bulk' | 'log'>): Route[] {
  const { view, bulk } = parts;
  if (bulk === undefined) return [];
  const { any } = predictSchemas(featureNames(view));
  const list = z.array(any).min(1).max(BATCH_ROWS_MAX);
  return [{
    method: 'post', path: '/batch-predict', role: 'scorer',
    doc: {
      summary: 'many scores', tag: 'scores',
      description: `Rows as POST /predict takes them, in a list of up to ${BATCH_ROWS_MAX} rows and ${BATCH_BYTES_MAX / 2 ** 20} MB; as many in a CSV document whose first row names features in any order, or customer_id alone; or one a line (NDJSON) without end: lines are answered while others are still being sent, each by its score or by what is wrong with it.`,
      body: { 'application/json': z.union([list, z.strictObject({ instances: list })]), 'text/csv': 'text', 'application/x-ndjson': 'text' },
      answers: { 200: { what: 'scores in the order of the rows', content: { 'application/json': answer, 'application/x-ndjson': 'text' } } },
      problems: [400, 413, 415, 503],
    },
    handle(res, req, finish) {
      const type = req.getHeader('content-type');
      if (LINES_TYPE.test(type)) return streamLines(res, finish, bulk, parts.log);
      takeWhole(CSV_TYPE.test(type) ? 'csv' : 'json', res, req, finish);
    },
  }];

  function takeWhole(what: 'json' | 'csv', res: TaggedResponse, req: HttpRequest, finish: Finish): void {
    // A body of unknown length may become as large as it may be.
    const declared = req.getHeader('content-length');
    const held = Math.min(BATCH_BYTES_MAX, declared === '' ? BATCH_BYTES_MAX : Number(declared) || 0);
    if (!bulk!.hold(held)) return finish((r) => sendProblem(r, OVERLOADED));
    let released = false;
    const release = (): void => {
      if (!released) bulk!.release(held);
      released = true;
    };
    res.whenAborted = release;
    readBytes(res, req, RULE, (bytes, problem) => {
      if (bytes === undefined) {
        release();
        return finish((r) => sendProblem(r, problem!));
      }
      // uWebSockets takes a chunk's memory back after this call.
      bulk!.run(what, new Uint8Array(bytes), res.requestId ?? '', 0).then((done) => finish((r) => answerWith(r, done)), (error: unknown) => {
        parts.log.error('request_failed', error, { path: '/batch-predict', request_id: res.requestId });
        finish((r) => sendProblem(r, INTERNAL));
      }).finally(release);
    });
  }
}

function answerWith(res: HttpResponse, done: Awaited<ReturnType<NonNullable<ServerParts['bulk']>['run']>>): void {
  if (isProblem(done)) return sendProblem(res, done);
  beginAnswer(res, '200 OK').writeHeader('content-type', 'application/json').end(done.bytes);
}
