import koffi from 'koffi';
import { messageOf, TidemarkError } from '../../runtime/errors.js';

/** A handle or another address in the library's memory. */
export type Pointer = unknown;

/** One function of XGBoost's C API: 0 is success, anything else leaves a message in XGBGetLastError. */
type Callable = ((...values: unknown[]) => number) & { async(...values: unknown[]): void };

const FUNCTIONS = {
  XGDMatrixCreateFromMat_omp: 'int XGDMatrixCreateFromMat_omp(const float *data, uint64_t rows, uint64_t columns, float missing, _Out_ void **out, int nthread)',
  XGDMatrixSetFloatInfo: 'int XGDMatrixSetFloatInfo(void *matrix, const char *field, const float *values, uint64_t length)',
  XGDMatrixSetStrFeatureInfo: 'int XGDMatrixSetStrFeatureInfo(void *matrix, const char *field, const char **names, uint64_t length)',
  XGDMatrixFree: 'int XGDMatrixFree(void *matrix)',
  XGBoosterCreate: 'int XGBoosterCreate(const void **matrices, uint64_t length, _Out_ void **out)',
  XGBoosterFree: 'int XGBoosterFree(void *booster)',
  XGBoosterSetParam: 'int XGBoosterSetParam(void *booster, const char *name, const char *value)',
  XGBoosterUpdateOneIter: 'int XGBoosterUpdateOneIter(void *booster, int iteration, void *matrix)',
  XGBoosterEvalOneIter: 'int XGBoosterEvalOneIter(void *booster, int iteration, const void **matrices, const char **names, uint64_t length, _Out_ const char **out)',
  XGBoosterPredictFromDMatrix: 'int XGBoosterPredictFromDMatrix(void *booster, void *matrix, const char *config, _Out_ void **shape, _Out_ uint64_t *dimensions, _Out_ void **values)',
  XGBoosterSaveModelToBuffer: 'int XGBoosterSaveModelToBuffer(void *booster, const char *config, _Out_ uint64_t *length, _Out_ void **bytes)',
  XGBoosterLoadModelFromBuffer: 'int XGBoosterLoadModelFromBuffer(void *booster, const uint8_t *bytes, uint64_t length)',
} as const;
export type FunctionName = keyof typeof FUNCTIONS;

/** The loaded library. */
export interface Xgboost {
  readonly version: string;
  /** Calls on this thread. @throws TidemarkError INTERNAL with the library's own message */
  call(name: FunctionName, ...values: unknown[]): void;
  /** Calls on a thread of koffi's pool, so that timers and sockets of this process go on meanwhile. */
  callAsync(name: FunctionName, ...values: unknown[]): Promise<void>;
}

const loaded = new Map<string, Xgboost>();

/**
 * Loads libxgboost from a file; the same file is loaded once.
 * @throws TidemarkError REQUIREMENT_MISSING where the loader refuses it
 */
export function openXgboost(file: string): Xgboost {
  let library = loaded.get(file);
  if (library === undefined) loaded.set(file, (library = open(file)));
  return library;
}

function open(file: string): Xgboost {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(file);
  } catch (error) {
    throw new TidemarkError('REQUIREMENT_MISSING', `XGBoost: ${file} cannot be loaded (${messageOf(error)}): ${fixOf(messageOf(error))}`, { cause: error });
  }
  const functions = Object.fromEntries(Object.entries(FUNCTIONS).map(([name, prototype]) => [name, library.func(prototype) as unknown as Callable])) as Record<FunctionName, Callable>;
  const lastError = library.func('const char *XGBGetLastError()') as unknown as () => string;
  const version = library.func('void XGBoostVersion(_Out_ int *major, _Out_ int *minor, _Out_ int *patch)') as unknown as (...parts: number[][]) => void;
  const parts = [[0], [0], [0]];
  version(...parts);

  const call = (name: FunctionName, ...values: unknown[]): void => {
    if (functions[name](...values) !== 0) throw new TidemarkError('INTERNAL', `XGBoost ${name}: ${firstLines(lastError())}`);
  };
  return {
    version: parts.join('.'),
    call,
    async callAsync(name, ...values) {
      const result = await new Promise<number>((resolve, reject) => {
        functions[name].async(...values, (error: Error | null, code: number) => (error ? reject(error) : resolve(code)));
      });
      // The library keeps its message for the thread that failed, which is gone: the same call here fails alike and says why.
      if (result !== 0) call(name, ...values);
    },
  };
}

function fixOf(message: string): string {
  if (/libgomp/.test(message)) return 'install the OpenMP runtime (Debian and Ubuntu: apt-get install libgomp1; Fedora: dnf install libgomp; Alpine has no build)';
  if (/libomp/.test(message)) return 'install the OpenMP runtime (brew install libomp)';
  if (/GLIBC|musl|invalid ELF/i.test(message)) return 'it needs a 64-bit Linux with glibc 2.28 or later, macOS or Windows';
  return 'delete the file so that it is unpacked again';
}

/** XGBoost's messages begin with the time and a source line, and end with a C++ stack trace. */
const firstLines = (message: string): string => message.split(/\n\s*\n|\nStack trace/)[0]!.replace(/^\[[\d:]+\] \S+:\d+: /, '').trim();
