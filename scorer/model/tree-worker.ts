import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../runtime/errors.js';
import { readGraph } from '../../schemas/onnx/graph.js';
import { readTreeModel } from '../../schemas/onnx/tree-model.js';
import { treesOf } from './walk.js';

/** The thread that reads a model's trees, once: of thousands of nodes that takes tens of milliseconds. */
const { onnx, width } = workerData as { onnx: Uint8Array; width: number };
try {
  parentPort!.postMessage(treesOf(readTreeModel(readGraph(onnx)), width));
} catch (error) {
  parentPort!.postMessage(messageOf(error));
}
