import { Worker } from 'node:worker_threads';
import { messageOf } from '../../runtime/errors.js';
import { TREES_RUNTIME } from '../../runtime/models/scoring-runtime.js';
import type { ScoringSession } from '../../runtime/models/session.js';
import { readGraph } from '../../schemas/onnx/graph.js';
import { readTreeModel, type TreeModel } from '../../schemas/onnx/tree-model.js';
import { edgeRows } from '../core/edge-rows.js';
import { compactTrees, createTreeWalk, type CompactTrees } from '../core/tree-walk.js';

/** How far a walk's score may be from ONNX Runtime's for the same row: they round to float32 in other places. */
export const WALK_TOLERANCE = 1e-6;
const EDGE_ROWS = 512;

/**
 * A session that walks the model's trees itself (scorer/core/tree-walk.ts). They are read on a thread of their own.
 * @param reference ONNX Runtime's session of the same bytes
 * @param samples rows of the model's own kind, on which it is held against that one beside the edges
 * @returns or in words why there is none: a file of another form, or other scores than ONNX Runtime's
 */
export async function openWalk(onnx: Uint8Array, reference: ScoringSession, samples: readonly (readonly number[])[] = []): Promise<ScoringSession | string> {
  const width = reference.featureCount;
  let model: TreeModel;
  try {
    model = readTreeModel(readGraph(onnx));
  } catch (error) {
    return messageOf(error);
  }
  const trees = await readInThread(onnx, width);
  if (typeof trees === 'string') return trees;
  const walk = sessionOf(model, trees, width);
  return difference(walk, reference, Float32Array.from([...edgeRows(trees, width, EDGE_ROWS), ...samples.flat()])) ?? walk;
}

/** The same at once, for a thread that may be held up. @param onnx a file of which openWalk gave a session */
export function openKnownWalk(onnx: Uint8Array, width: number): ScoringSession {
  const model = readTreeModel(readGraph(onnx));
  return sessionOf(model, treesOf(model, width), width);
}

/** @throws UnknownForm or RangeError, with the reason in words */
export const treesOf = (model: TreeModel, width: number): CompactTrees => compactTrees(model.trees(), model.columns, width);

const readInThread = (onnx: Uint8Array, width: number): Promise<CompactTrees | string> => new Promise((resolve) => {
  const thread = new Worker(new URL('tree-worker.js', import.meta.url), { workerData: { onnx, width } });
  thread.once('message', resolve);
  // Out of memory, at worst: ONNX Runtime scores all the same.
  thread.once('error', (error) => resolve(messageOf(error)));
});

const sessionOf = (model: TreeModel, trees: CompactTrees, featureCount: number): ScoringSession => ({ featureCount, runtime: TREES_RUNTIME, score: createTreeWalk(trees, featureCount, model).score, release: () => undefined });

/** @returns in words, the first of them */
function difference(walk: ScoringSession, reference: ScoringSession, rows: Float32Array): string | undefined {
  const count = rows.length / walk.featureCount;
  const [scores, expected] = [new Float64Array(count), new Float64Array(count)];
  walk.score(rows, count, scores, 0);
  reference.score(rows, count, expected, 0);
  const wrong = scores.findIndex((score, i) => !(Math.abs(score - expected[i]!) <= WALK_TOLERANCE));
  return wrong < 0 ? undefined : `its trees come to ${scores[wrong]} where ONNX Runtime scores ${expected[wrong]}`;
}
