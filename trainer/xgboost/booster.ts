import koffi from 'koffi';
import { TidemarkError } from '../../runtime/errors.js';
import type { Pointer, Xgboost } from './capi.js';
import type { Matrix } from './matrix.js';

/** Parameters under XGBoost's own names: https://xgboost.readthedocs.io/en/stable/parameter.html */
export type BoosterParameters = Readonly<Record<string, string | number>>;

/** One model in training or in use. Calls on it come one at a time; free it when done. */
export interface Booster {
  /** Adds one round of trees; the rounds count from 0. */
  update(round: number, train: Matrix): Promise<void>;
  /** How many rounds it has. */
  rounds(): number;
  /** The evaluation metrics on each named matrix after the given round, as `<name>-<metric>`. */
  evaluate(round: number, matrices: Readonly<Record<string, Matrix>>): Promise<Record<string, number>>;
  /** One value a row: the probability for binary:logistic. @param rounds how many rounds take part, from the first; 0 is all */
  predict(matrix: Matrix, rounds?: number): Promise<Float32Array>;
  /** The model in XGBoost's JSON schema (also what the ONNX export reads) or in UBJSON. */
  save(format: 'json' | 'ubj'): Buffer;
  load(bytes: Uint8Array): void;
  free(): void;
}

/** @param matrices those that it will train on and evaluate: XGBoost then caches their predictions between rounds */
export function createBooster(library: Xgboost, parameters: BoosterParameters, matrices: readonly Matrix[] = []): Booster {
  const out: Pointer[] = [null];
  library.call('XGBoosterCreate', matrices.map((matrix) => matrix.handle), matrices.length, out);
  const handle = out[0];
  let freed = false;
  let rounds = 0;
  const free = (): void => {
    if (!freed) library.call('XGBoosterFree', handle);
    freed = true;
  };
  try {
    for (const [name, value] of Object.entries(parameters)) library.call('XGBoosterSetParam', handle, name, String(value));
  } catch (error) {
    free();
    throw error;
  }
  return {
    async update(round, train) {
      await library.callAsync('XGBoosterUpdateOneIter', handle, round, train.handle);
      rounds = round + 1;
    },
    rounds: () => rounds,
    async evaluate(round, named) {
      const text: string[] = [''];
      const names = Object.keys(named);
      await library.callAsync('XGBoosterEvalOneIter', handle, round, Object.values(named).map((matrix) => matrix.handle), names, names.length, text);
      return parseEvaluation(text[0]!);
    },
    async predict(matrix, rounds = 0) {
      const [shape, dimensions, values]: [Pointer[], number[], Pointer[]] = [[null], [0], [null]];
      const config = JSON.stringify({ type: 0, training: false, iteration_begin: 0, iteration_end: rounds, strict_shape: false });
      await library.callAsync('XGBoosterPredictFromDMatrix', handle, matrix.handle, config, shape, dimensions, values);
      const [rows, width = 1] = koffi.decode(shape[0], 'uint64_t', Number(dimensions[0])) as ArrayLike<number | bigint> as (number | bigint)[];
      if (Number(rows) !== matrix.rows || Number(width) !== 1)
        throw new TidemarkError('INTERNAL', `XGBoost predicted ${String(rows)} × ${String(width)} values for ${matrix.rows} rows, expected one a row`);
      // Copied at once: the memory is the library's and lives until its next prediction.
      return Float32Array.from(koffi.decode(values[0], 'float', matrix.rows) as ArrayLike<number>);
    },
    save(format) {
      const [length, bytes]: [number[], Pointer[]] = [[0], [null]];
      library.call('XGBoosterSaveModelToBuffer', handle, JSON.stringify({ format }), length, bytes);
      return Buffer.from(new Uint8Array(koffi.view(bytes[0], Number(length[0]))));
    },
    load: (bytes) => library.call('XGBoosterLoadModelFromBuffer', handle, bytes, bytes.length),
    free,
  };
}

/** Reads `[3]\ttrain-logloss:0.52\tinner-logloss:0.55`. */
function parseEvaluation(text: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const part of text.split('\t').slice(1)) {
    const colon = part.lastIndexOf(':');
    values[part.slice(0, colon)] = Number(part.slice(colon + 1));
  }
  return values;
}
