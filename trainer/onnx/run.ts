import { messageOf, TidemarkError } from '../../runtime/errors.js';
import { ort } from '../../runtime/onnxruntime.js';

const ROWS_AT_ONCE = 4096;

/** Scores rows with ONNX Runtime as the scorer does, one thread. @returns one value a row */
export async function runOnnx(onnx: Uint8Array, values: Float32Array, rows: number, columns: number): Promise<Float32Array> {
  let session: Awaited<ReturnType<typeof ort.InferenceSession.create>>;
  try {
    session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3 });
  } catch (error) {
    throw new TidemarkError('MODEL_CHECK_FAILED', `ONNX Runtime does not load the exported model: ${messageOf(error)}`, { cause: error });
  }
  try {
    const [input] = session.inputNames as [string];
    const [output] = session.outputNames as [string];
    const scores = new Float32Array(rows);
    for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
      const to = Math.min(rows, from + ROWS_AT_ONCE);
      const result = await session.run({ [input]: new ort.Tensor('float32', values.subarray(from * columns, to * columns), [to - from, columns]) });
      scores.set(result[output]!.data as Float32Array, from);
    }
    return scores;
  } finally {
    await session.release();
  }
}

export const SCORE_TOLERANCE = 1e-5;

/**
 * Holds ONNX Runtime's scores against those of the library that trained the model, row by row.
 * @returns the largest difference
 * @throws TidemarkError MODEL_CHECK_FAILED with the worst row where one differs by more than the tolerance, or is no number
 */
export async function checkOnnx(onnx: Uint8Array, values: Float32Array, rows: number, columns: number, expected: Float32Array): Promise<number> {
  const scores = await runOnnx(onnx, values, rows, columns);
  let worst = 0;
  let difference_max = 0;
  for (let row = 0; row < rows; row++) {
    const difference = Math.abs(scores[row]! - expected[row]!);
    if (difference > difference_max || Number.isNaN(difference)) [worst, difference_max] = [row, difference];
    if (Number.isNaN(difference)) break;
  }
  if (!(difference_max <= SCORE_TOLERANCE))
    throw new TidemarkError('MODEL_CHECK_FAILED',
      `ONNX Runtime and XGBoost differ by ${difference_max} on row ${worst} of ${rows} (${scores[worst]} and ${expected[worst]}), at most ${SCORE_TOLERANCE} is allowed: ` +
      'the model is not published; report it with the row', { details: { row: Array.from(values.subarray(worst * columns, (worst + 1) * columns), String) } });
  return difference_max;
}
