import { messageOf, TidemarkError } from '../errors.js';
import { loadNative, ONNX_FLOAT32, ONNX_FLOAT64, type ElementType, type NativeSession, type NativeValue } from './ort.js';
import { ORT_RUNTIME } from './scoring-runtime.js';

/** A model that is ready to score. Calls are synchronous: whoever holds one during a call holds it to the end of the call. */
export interface ScoringSession {
  readonly featureCount: number;
  /** By what it scores: ORT_RUNTIME or TREES_RUNTIME. */
  readonly runtime: string;
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
    const input = findInput(native.inputs, featureCount);
    const output = findOutput(native.outputs, probeRows(native, input, featureCount));
    const session = createSession(native, input, output, featureCount, name);
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
/** Rows of one call to ONNX Runtime: as much memory as a session keeps for them. */
export const CALL_ROWS_MAX = 512;

interface Output { readonly name: string; readonly type: ElementType; /** Of PROBE_ROWS rows. */ readonly shape: readonly number[] }

/** Row 0 all zeros, row 1 all missing, row 2 ones: declared output shapes are often unknown, real ones are not. @returns those of float tensors */
function probeRows(native: NativeSession, input: string, featureCount: number): Output[] {
  const floats = native.outputs.filter(isFloat);
  if (floats.length === 0) return [];
  const block = native.allocate(ONNX_FLOAT32, PROBE_ROWS * featureCount);
  block.values.fill(0, 0, featureCount).fill(Number.NaN, featureCount, 2 * featureCount).fill(1, 2 * featureCount);
  try {
    const shapes = native.shapesOf({ name: input, block, dims: [PROBE_ROWS, featureCount] }, floats.map((o) => o.name));
    return floats.map(({ name, type }, i) => ({ name, type: type as ElementType, shape: shapes[i]! }));
  } catch (error) {
    throw new Error(`it fails on a matrix of ${PROBE_ROWS} rows (${messageOf(error)})`, { cause: error });
  }
}

const isFloat = (o: NativeValue): boolean => o.isTensor && (o.type === ONNX_FLOAT32 || o.type === ONNX_FLOAT64);

/** Two columns are the probabilities of both classes, one is P(churn) itself; of several outputs the one named for it. */
function findOutput(outputs: readonly NativeValue[], probed: readonly Output[]): Output {
  const fit = probed.filter(({ shape: [rows, columns = 1], shape }) => rows === PROBE_ROWS && shape.length <= 2 && (columns === 1 || columns === 2));
  const named = fit.filter(({ name }) => /prob/i.test(name));
  const [chosen, other] = named.length > 0 ? named : fit;
  if (chosen !== undefined && other === undefined) return chosen;
  if (chosen !== undefined) throw new Error(`outputs ${fit.map(({ name }) => name).join(' and ')} could each be P(churn): name one of them “probabilities”`);
  const got = outputs.map((o) => (o.isTensor ? `${o.name} [${shapeText(o)}]` : `${o.name} (a sequence of maps: export it without the ZipMap node)`)).join(', ');
  throw new Error(`no output is a float tensor [N], [N, 1] or [N, 2]; it has ${got}`);
}

/** The model reads and writes the session's own memory, so that a call of so many rows is prepared once and makes no garbage. */
function createSession(native: NativeSession, input: string, { name: output, type, shape }: Output, featureCount: number, name: string): ScoringSession {
  const columns = shape[1] ?? 1;
  const from = native.allocate(ONNX_FLOAT32, CALL_ROWS_MAX * featureCount);
  const to = native.allocate(type, CALL_ROWS_MAX * columns);
  const [inputs, outputs] = [from.values, to.values];
  /** By rows. */
  const calls = new Array<(() => void) | undefined>(CALL_ROWS_MAX + 1).fill(undefined);
  let released = false;

  function prepare(rows: number): () => void {
    if (released) throw new Error('the session is released');
    return (calls[rows] = native.prepare({ name: input, block: from, dims: [rows, featureCount] }, { name: output, block: to, dims: [rows, ...shape.slice(1)] }));
  }

  function scoreSome(matrix: Float32Array, at: number, rows: number, out: Float64Array, outAt: number): void {
    try {
      const run = calls[rows] ?? prepare(rows);
      for (let i = 0, source = at * featureCount; i < rows * featureCount; i++) inputs[i] = matrix[source + i] as number;
      run();
    } catch (error) {
      throw new TidemarkError('INTERNAL', `model ${name}: ONNX Runtime failed on ${rows} rows: ${messageOf(error)}`, { cause: error });
    }
    for (let i = 0, source = columns - 1; i < rows; i++, source += columns) out[outAt + i] = outputs[source] as number;
  }

  return {
    featureCount,
    runtime: ORT_RUNTIME,
    score(matrix, rows, out, outAt) {
      for (let at = 0; at < rows; at += CALL_ROWS_MAX) scoreSome(matrix, at, Math.min(CALL_ROWS_MAX, rows - at), out, outAt + at);
    },
    release() {
      if (released) return;
      released = true;
      calls.fill(undefined);
      native.dispose();
    },
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
