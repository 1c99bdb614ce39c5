import { parseJson } from '../api/body.js';
import type { BlockWriter } from '../api-log/block.js';
import { scoreRows, type BulkModel } from '../bulk/score.js';
import { InferError, readInferRequest } from './core/request.js';
import { writeInferAnswer, type InferAnswer } from './core/response.js';

/** What scores a request and where its predictions are logged. */
export interface InferModel extends BulkModel {
  /** The model's name, as the path has it. */
  readonly name: string;
}

/**
 * Answers a request of the Open Inference Protocol from its bytes.
 * @param headerLength bytes of the JSON that the rest follows
 * @throws InferError
 */
export function infer(bytes: Uint8Array, headerLength: number, model: InferModel, requestId: string, log: Pick<BlockWriter, 'add'> | undefined): { readonly answer: InferAnswer; readonly rows: number } {
  const parsed = parseJson(bytes.subarray(0, headerLength));
  if ('problem' in parsed) throw new InferError(parsed.problem.detail);
  const { id, rows, matrix, outputs } = readInferRequest(parsed.body, bytes.subarray(headerLength), model.session.featureCount);
  const { scores, degraded } = scoreRows(model, matrix, rows);
  const scoredAt = Date.now();
  const atRisk = Uint8Array.from(scores, (score) => (score >= model.threshold ? 1 : 0));
  if (log !== undefined)
    for (let i = 0; i < rows; i++)
      log.add({ requestId, row: i, source: 'infer', customerId: '', scoredAt, score: scores[i] as number, atRisk: atRisk[i] === 1, modelVersion: model.version, degraded: degraded[i] === 1 }, matrix, i * model.session.featureCount);
  return { answer: writeInferAnswer(id, outputs, { model: model.name, version: model.version, scores, atRisk }), rows };
}

/** JSON and what follows it, in one piece. */
export function bytesOf({ json, binary }: InferAnswer): { readonly bytes: Uint8Array<ArrayBuffer>; readonly headerLength: number } {
  const head = Buffer.from(json);
  const bytes = new Uint8Array(head.length + (binary?.length ?? 0));
  bytes.set(head);
  if (binary !== undefined) bytes.set(binary, head.length);
  return { bytes, headerLength: head.length };
}
