import { ortBinding } from '../onnxruntime.js';

/**
 * ONNX Runtime's own session, called directly. The package's public `run` wraps this same synchronous call in a timer
 * and two promises (5 µs a call, and an event-loop turn of delay); called directly, a chunk is scored within one
 * function call, so that a swap can only ever fall between two chunks. The package is pinned to one version, and a test
 * holds this call against the public one.
 */
export interface NativeValue { readonly name: string; readonly isTensor: boolean; readonly type?: number; readonly shape?: readonly number[] }
export interface NativeTensor { readonly type: string; readonly data: ArrayLike<number>; readonly dims: readonly number[] }
/** A matrix as the library reads it; one object serves every call. */
export interface NativeMatrix { readonly type: 'float32'; readonly location: 'cpu'; readonly dims: [rows: number, columns: number]; /** Rows beyond `dims` are not read. */ data: Float32Array }
export interface NativeSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  readonly inputMetadata: readonly NativeValue[];
  readonly outputMetadata: readonly NativeValue[];
  run(feeds: Record<string, NativeMatrix>, fetches: Record<string, null>): Record<string, NativeTensor>;
  dispose(): void;
}

const { binding, initOrt } = ortBinding as { binding: { InferenceSession: new () => NativeSession }; initOrt: () => void };

/** Element types by ONNX's own numbers: a model takes float32, and gives float32 or float64. */
export const ONNX_FLOAT32 = 1;
export const ONNX_FLOAT64 = 11;

/** @throws what ONNX Runtime says of bytes that it cannot load */
export function loadNative(onnx: Uint8Array, intraOpNumThreads: number): NativeSession {
  initOrt();
  const session = new binding.InferenceSession();
  session.loadModel(onnx.buffer, onnx.byteOffset, onnx.byteLength, { intraOpNumThreads, interOpNumThreads: 1, executionMode: 'sequential' });
  return session;
}

export const nativeMatrix = (data: Float32Array, rows: number, columns: number): NativeMatrix => ({ type: 'float32', location: 'cpu', dims: [rows, columns], data });
