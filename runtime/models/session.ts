import { messageOf, TidemarkError } from '../errors.js';
import { loadNative, nativeMatrix, ONNX_FLOAT32, ONNX_FLOAT64, type NativeSession, type NativeTensor, type NativeValue } from './ort.js';

/** A model that is ready to score. Calls are synchronous: whoever holds one during a call holds it to the end of the call. */
export interface ScoringSession {
  readonly featureCount: number;
  /**
   * Scores rows of a row-major matrix.
   * @param matrix at least `rows` × featureCount values; NaN is a missing value
   * @param out receives `rows` values of P(churn), from index `outAt` on
   */
  score(matrix: Float32Array, rows: number, out: Float64Array, outAt: number): void;
  release(): void;
}

/**
 * Loads a model and finds in it the input [N, features] and the output that holds P(churn).
 * @param name how errors call the model
 * @throws TidemarkError MODEL_INVALID with the reason
 */
export function openSession(onnx: Uint8Array, featureCount: number, name: string, intraOpNumThreads = 1): ScoringSession {
  const invalid = (reason: string, cause?: unknown): TidemarkError => new TidemarkError('MODEL_INVALID', `model ${name}: ${reason}`, { cause });
  let native: NativeSession;
  try {
    native = loadNative(onnx, intraOpNumThreads);
  } catch (error) {
    throw invalid(`ONNX Runtime cannot load it (${messageOf(error)})`, error);
  }
  try {
    const input = findInput(native.inputMetadata, featureCount);
    const probe = probeRows(native, input, featureCount);
    const { output, columns } = findOutput(native.outputMetadata, probe);
    const session = createSession(native, input, output, columns, featureCount, name);
    checkScores(session);
    return session;
  } catch (error) {
    native.dispose();
    throw error instanceof TidemarkError ? error : invalid(messageOf(error), error);
  }
}

function findInput(inputs: readonly NativeValue[], featureCount: number): string {
  const [input] = inputs;
  if (inputs.length !== 1 || input === undefined) throw new Error(`it has ${inputs.length} inputs (${inputs.map((i) => i.name).join(', ')}), expected one`);
  if (!input.isTensor || input.type !== ONNX_FLOAT32) throw new Error(`input ${input.name} is no float32 tensor: export it with one`);
  const [rows, columns] = input.shape ?? [];
  if (input.shape?.length !== 2 || (columns !== featureCount && columns !== -1))
    throw new Error(`input ${input.name} has shape [${shapeText(input)}], expected [N, ${featureCount}]`);
  if (rows !== -1) throw new Error(`input ${input.name} takes ${rows} rows at a time only: export it with a dynamic first dimension`);
  return input.name;
}

const shapeText = ({ shape = [] }: NativeValue): string => shape.map((d) => (d < 0 ? 'N' : String(d))).join(', ');

const PROBE_ROWS = 3;

/** Row 0 all zeros, row 1 all missing, row 2 ones: declared output shapes are often unknown, real ones are not. */
function probeRows(native: NativeSession, input: string, featureCount: number): Record<string, NativeTensor> {
  const matrix = new Float32Array(PROBE_ROWS * featureCount);
  matrix.fill(Number.NaN, featureCount, 2 * featureCount).fill(1, 2 * featureCount);
  const fetches = Object.fromEntries(native.outputMetadata.filter(isFloat).map((o) => [o.name, null]));
  if (Object.keys(fetches).length === 0) return {};
  try {
    return native.run({ [input]: nativeMatrix(matrix, PROBE_ROWS, featureCount) }, fetches);
  } catch (error) {
    throw new Error(`it fails on a matrix of ${PROBE_ROWS} rows (${messageOf(error)})`, { cause: error });
  }
}

const isFloat = (o: NativeValue): boolean => o.isTensor && (o.type === ONNX_FLOAT32 || o.type === ONNX_FLOAT64);

/** Two columns are the probabilities of both classes, one is P(churn) itself; of several outputs the one named for it. */
function findOutput(outputs: readonly NativeValue[], probe: Record<string, NativeTensor>): { output: string; columns: 1 | 2 } {
  const fit: { output: string; columns: 1 | 2 }[] = [];
  for (const [output, { dims }] of Object.entries(probe)) {
    const columns = dims.length === 1 ? 1 : dims.length === 2 ? dims[1] : 0;
    if (dims[0] === PROBE_ROWS && (columns === 1 || columns === 2)) fit.push({ output, columns });
  }
  const named = fit.filter(({ output }) => /prob/i.test(output));
  const [chosen, other] = named.length > 0 ? named : fit;
  if (chosen !== undefined && other === undefined) return chosen;
  if (chosen !== undefined) throw new Error(`outputs ${fit.map((f) => f.output).join(' and ')} could each be P(churn): name one of them “probabilities”`);
  const got = outputs.map((o) => (o.isTensor ? `${o.name} [${shapeText(o)}]` : `${o.name} (a sequence of maps: export it without the ZipMap node)`)).join(', ');
  throw new Error(`no output is a float tensor [N], [N, 1] or [N, 2]; it has ${got}`);
}

function createSession(native: NativeSession, input: string, output: string, columns: 1 | 2, featureCount: number, name: string): ScoringSession {
  const rowsIn = nativeMatrix(new Float32Array(0), 0, featureCount);
  const feeds = { [input]: rowsIn };
  const fetches = { [output]: null };
  return {
    featureCount,
    score(matrix, rows, out, outAt) {
      let data: ArrayLike<number>;
      try {
        rowsIn.data = matrix;
        rowsIn.dims[0] = rows;
        data = (native.run(feeds, fetches)[output] as NativeTensor).data;
      } catch (error) {
        throw new TidemarkError('INTERNAL', `model ${name}: ONNX Runtime failed on ${rows} rows: ${messageOf(error)}`, { cause: error });
      }
      for (let i = 0, at = columns - 1; i < rows; i++, at += columns) out[outAt + i] = data[at] as number;
    },
    release: () => native.dispose(),
  };
}

/** Missing values are everyday input, so a model that answers them with NaN cannot serve. */
function checkScores(session: ScoringSession): void {
  const matrix = new Float32Array(2 * session.featureCount).fill(Number.NaN, session.featureCount);
  const out = new Float64Array(2);
  session.score(matrix, 2, out, 0);
  for (const [row, what] of ['zeros', 'missing values'].entries()) {
    const score = out[row] as number;
    if (!(score >= 0 && score <= 1)) throw new Error(`a row of ${what} gives ${score}, expected a probability from 0 to 1`);
  }
}
