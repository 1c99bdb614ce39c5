import type { Problem } from '../api/problem.js';

/** What the scorer and its bulk workers say to each other. Bytes are moved, not copied. */
export type ToWorker =
  | { readonly kind: 'model'; readonly onnx: Uint8Array; readonly version: string; readonly runtime: string }
  /** `argument`: of lines the number of the first row, of infer the length of the JSON. */
  | { readonly kind: 'work'; readonly id: number; readonly what: BulkWork; readonly bytes: Uint8Array; readonly argument: number; readonly requestId: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'found'; readonly lookup: number; readonly values: Float32Array; readonly found: Uint8Array };

export type FromWorker =
  | { readonly kind: 'done'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly rows: number; readonly ms: number; readonly headerLength?: number }
  | { readonly kind: 'refused'; readonly id: number; readonly problem: Problem }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'lookup'; readonly lookup: number; readonly ids: readonly string[] }
  /** Rows of the log of API predictions, encoded. */
  | { readonly kind: 'log'; readonly bytes: Uint8Array; readonly rows: number };

/** A list of rows; a CSV document; whole lines of NDJSON; a request of the Open Inference Protocol. */
export type BulkWork = 'json' | 'csv' | 'lines' | 'infer';

export interface WorkerSetup {
  readonly names: readonly string[];
  /** MODEL_NAME */
  readonly model: string;
  readonly viewVersion: number;
  readonly threshold: number;
}
