import koffi from 'koffi';
import { messageOf, TidemarkError } from '../errors.js';
import { ORT_LIBRARY } from '../onnxruntime.js';

/** A handle or another address in the library's memory; null is none. */
export type Pointer = unknown;

/**
 * ONNX Runtime's C interface as far as it is called here: functions of `OrtApi` (onnxruntime_c_api.h) by their place in it,
 * which no release changes (new ones come at its end), and their parameters. Each gives a status, null where it has done its work.
 */
const FUNCTIONS = {
  CreateEnv: [3, 'int level, const char *name, _Out_ void **out'],
  CreateSessionFromArray: [8, 'void *env, const uint8_t *model, size_t bytes, void *options, _Out_ void **out'],
  Run: [9, 'void *session, void *options, const char **inputs, void **values, size_t count, const char **outputs, size_t wanted, _Inout_ void **results'],
  CreateSessionOptions: [10, '_Out_ void **out'],
  SetIntraOpNumThreads: [24, 'void *options, int threads'],
  SessionGetInputCount: [30, 'void *session, _Out_ size_t *out'],
  SessionGetOutputCount: [31, 'void *session, _Out_ size_t *out'],
  SessionGetInputTypeInfo: [33, 'void *session, size_t index, _Out_ void **out'],
  SessionGetOutputTypeInfo: [34, 'void *session, size_t index, _Out_ void **out'],
  SessionGetInputName: [36, 'void *session, size_t index, void *allocator, _Out_ void **out'],
  SessionGetOutputName: [37, 'void *session, size_t index, void *allocator, _Out_ void **out'],
  CreateTensorWithDataAsOrtValue: [49, 'void *memory, void *data, size_t bytes, const int64_t *dims, size_t rank, int type, _Out_ void **out'],
  CastTypeInfoToTensorInfo: [55, 'void *info, _Out_ void **out'],
  GetTensorElementType: [60, 'void *info, _Out_ int *out'],
  GetDimensionsCount: [61, 'void *info, _Out_ size_t *out'],
  GetDimensions: [62, 'void *info, _Out_ int64_t *dims, size_t rank'],
  GetTensorTypeAndShape: [65, 'void *value, _Out_ void **out'],
  CreateCpuMemoryInfo: [69, 'int allocator, int memory, _Out_ void **out'],
  AllocatorFree: [76, 'void *allocator, void *address'],
  GetAllocatorWithDefaultOptions: [78, '_Out_ void **out'],
  RunWithBinding: [133, 'void *session, void *options, void *binding'],
  CreateIoBinding: [134, 'void *session, _Out_ void **out'],
  BindInput: [136, 'void *binding, const char *name, void *value'],
  BindOutput: [137, 'void *binding, const char *name, void *value'],
} as const satisfies Record<string, readonly [place: number, parameters: string]>;
const RELEASES = { Status: 93, Session: 95, Value: 96, TypeInfo: 98, TensorTypeAndShapeInfo: 99, SessionOptions: 100, IoBinding: 135 } as const;

export type FunctionName = keyof typeof FUNCTIONS;
type Callable = (...values: unknown[]) => Pointer;

/** The `OrtApi` that is asked for: it has all of these functions, and every later library gives it too. */
const API_VERSION = 17;
const POINTER_BYTES = 8;

const open = (): Pointer => {
  try {
    const base = (koffi.load(ORT_LIBRARY).func('void *OrtGetApiBase()') as unknown as () => Pointer)();
    return (koffi.decode(koffi.decode(base, 'void *'), koffi.proto('void *OrtGetApi(uint32_t version)')) as Callable)(API_VERSION);
  } catch (error) {
    throw new TidemarkError('REQUIREMENT_MISSING', `ONNX Runtime: ${ORT_LIBRARY} cannot be loaded (${messageOf(error)}): run npm ci again on this machine`, { cause: error });
  }
};
const api = open();
const at = (place: number, prototype: string): Callable => koffi.decode(koffi.decode(api, place * POINTER_BYTES, 'void *'), koffi.proto(prototype)) as Callable;

const functions = Object.fromEntries(Object.entries(FUNCTIONS).map(([name, [place, parameters]]) => [name, at(place, `void *Ort${name}(${parameters})`)])) as Record<FunctionName, Callable>;
const releases = Object.fromEntries(Object.entries(RELEASES).map(([name, place]) => [name, at(place, `void OrtRelease${name}(void *handle)`)])) as Record<keyof typeof RELEASES, Callable>;
const errorMessage = at(2, 'const char *OrtGetErrorMessage(void *status)') as unknown as (status: Pointer) => string;

export const release = (what: keyof typeof RELEASES, handle: Pointer): void => void releases[what](handle);

/** @throws Error with the library's own message, where there is a status */
export function checked(status: Pointer): void {
  if (status === null) return;
  const message = errorMessage(status);
  release('Status', status);
  throw new Error(message);
}

/** @throws Error with the library's own message */
export const call = (name: FunctionName, ...values: unknown[]): void => checked(functions[name](...values));

/** Calls what gives a value through its last parameter. @throws Error with the library's own message */
export function ask<Value = Pointer>(name: FunctionName, ...values: unknown[]): Value {
  const out: [Value | null] = [null];
  call(name, ...values, out);
  return out[0] as Value;
}

/** One of the functions by itself, for where a call's cost counts: it gives a status for `checked`. */
export const functionOf = (name: FunctionName): Callable => functions[name];
