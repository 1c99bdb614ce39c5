import koffi from 'koffi';
import { ask, call, checked, functionOf, release, type Pointer } from './ort-api.js';

/** Element types by ONNX's own numbers: a model takes float32, and gives float32 or float64. */
export const ONNX_FLOAT32 = 1;
export const ONNX_FLOAT64 = 11;
export type ElementType = typeof ONNX_FLOAT32 | typeof ONNX_FLOAT64;

/** An input or output as the model declares it; a dimension that it leaves open is -1. What is no tensor has neither type nor shape. */
export interface NativeValue { readonly name: string; readonly isTensor: boolean; readonly type?: number; readonly shape?: readonly number[] }

/** Memory that stays where it is for as long as its session lives. */
export interface Block { readonly type: ElementType; readonly values: Float32Array | Float64Array; readonly address: Pointer }

/** Where a call reads or writes: the first elements of a block, row-major. */
export interface Port { readonly name: string; readonly block: Block; readonly dims: readonly number[] }

export interface NativeSession {
  readonly inputs: readonly NativeValue[];
  readonly outputs: readonly NativeValue[];
  allocate(type: ElementType, length: number): Block;
  /** Runs once. @returns the shapes that the outputs have */
  shapesOf(input: Port, outputs: readonly string[]): number[][];
  /** Prepares a call that costs the library no look-up and this side no object. @returns the call, which throws what ONNX Runtime says */
  prepare(input: Port, output: Port): () => void;
  /** Frees all of it, blocks included; prepared calls must not be made any more. */
  dispose(): void;
}

/** Errors only: what it warns of is the model maker's. */
const LOG_LEVEL = 3;
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];
const env = ask('CreateEnv', LOG_LEVEL, 'tidemark');
const memory = ask('CreateCpuMemoryInfo', DEVICE_ALLOCATOR, DEFAULT_MEMORY);
const allocator = ask('GetAllocatorWithDefaultOptions');
const runWithBinding = functionOf('RunWithBinding');

/** @throws Error with what ONNX Runtime says of bytes that it cannot load */
export function loadNative(onnx: Uint8Array, intraOpNumThreads: number): NativeSession {
  const session = load(onnx, intraOpNumThreads);
  const frees: (() => void)[] = [() => release('Session', session)];
  const owned = (what: 'Value' | 'IoBinding', handle: Pointer): Pointer => {
    frees.push(() => release(what, handle));
    return handle;
  };
  const tensor = ({ block, dims }: Port): Pointer => owned('Value',
    ask('CreateTensorWithDataAsOrtValue', memory, block.address, block.values.byteLength, BigInt64Array.from(dims, BigInt), dims.length, block.type));
  return {
    inputs: declared(session, 'Input'),
    outputs: declared(session, 'Output'),
    allocate(type, length) {
      const address: Pointer = koffi.alloc(type === ONNX_FLOAT32 ? 'float' : 'double', length);
      frees.push(() => koffi.free(address));
      return { type, address, values: type === ONNX_FLOAT32 ? new Float32Array(koffi.view(address, length * 4)) : new Float64Array(koffi.view(address, length * 8)) };
    },
    shapesOf(input, outputs) {
      const results = outputs.map((): Pointer => null);
      call('Run', session, null, [input.name], [tensor(input)], 1, outputs, outputs.length, results);
      return results.map((result) => owned('Value', result)).map((value) => {
        const info = ask('GetTensorTypeAndShape', value);
        try {
          return shapeOf(info);
        } finally {
          release('TensorTypeAndShapeInfo', info);
        }
      });
    },
    prepare(input, output) {
      const binding = owned('IoBinding', ask('CreateIoBinding', session));
      call('BindInput', binding, input.name, tensor(input));
      call('BindOutput', binding, output.name, tensor(output));
      return () => checked(runWithBinding(session, null, binding));
    },
    dispose() {
      for (const free of frees.splice(0).reverse()) free();
    },
  };
}

function load(onnx: Uint8Array, intraOpNumThreads: number): Pointer {
  const options = ask('CreateSessionOptions');
  try {
    call('SetIntraOpNumThreads', options, intraOpNumThreads);
    return ask('CreateSessionFromArray', env, onnx, onnx.byteLength, options);
  } finally {
    release('SessionOptions', options);
  }
}

function declared(session: Pointer, side: 'Input' | 'Output'): NativeValue[] {
  return Array.from({ length: Number(ask(`SessionGet${side}Count`, session)) }, (_, index) => {
    const text = ask(`SessionGet${side}Name`, session, index, allocator);
    const name = koffi.decode(text, 'char', -1) as string;
    call('AllocatorFree', allocator, text);
    const info = ask(`SessionGet${side}TypeInfo`, session, index);
    try {
      const tensor = ask('CastTypeInfoToTensorInfo', info);
      return tensor === null ? { name, isTensor: false } : { name, isTensor: true, type: ask<number>('GetTensorElementType', tensor), shape: shapeOf(tensor) };
    } finally {
      release('TypeInfo', info);
    }
  });
}

function shapeOf(info: Pointer): number[] {
  const dims = new BigInt64Array(Number(ask('GetDimensionsCount', info)));
  call('GetDimensions', info, dims, dims.length);
  return Array.from(dims, Number);
}
