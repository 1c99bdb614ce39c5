import { ELEMENT_TYPES } from './tensors.js';

export const INPUT_NAME = 'input';
export const OUTPUT_NAMES = ['score', 'decision'] as const;
export type OutputName = (typeof OUTPUT_NAMES)[number];

export interface WantedOutput {
  readonly name: OutputName;
  /** As bytes after the JSON, instead of numbers in it. */
  readonly binary: boolean;
}

/** An inference request as it was understood. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly rows: number;
  /** rows × features float32, NaN where a value is missing. */
  readonly matrix: Float32Array<ArrayBuffer>;
  readonly outputs: readonly WantedOutput[];
}

/** Rows of one request. */
export const INFER_ROWS_MAX = 100_000;
/** Beyond it a double has no float32, which the model computes in. */
const FLOAT32_MAX = 3.4028234663852886e38;

/** What a client did wrong, in words for it. */
export class InferError extends Error {}

const fail = (message: string): never => { throw new InferError(message); };
type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads a request of the Open Inference Protocol.
 * @param body its JSON, parsed
 * @param binary what follows the JSON: the tensors that say `binary_data_size`, one after the other
 * @throws InferError
 */
export function readInferRequest(body: unknown, binary: Uint8Array, features: number): InferRequest {
  if (!isObject(body)) return fail('the request is no JSON object');
  const { id, inputs, outputs, parameters } = body;
  if (id !== undefined && (typeof id !== 'string' || id.length > 256)) return fail('id: expected text of at most 256 characters');
  if (!Array.isArray(inputs) || inputs.length !== 1 || !isObject(inputs[0])) return fail(`inputs: expected one tensor, named ${INPUT_NAME}`);
  const { rows, matrix } = readInput(inputs[0], binary, features);
  return { id, rows, matrix, outputs: readOutputs(outputs, isObject(parameters) && parameters['binary_data_output'] === true) };
}

function readInput({ name, shape, datatype, data, parameters }: Json, binary: Uint8Array, features: number): { rows: number; matrix: Float32Array<ArrayBuffer> } {
  if (name !== INPUT_NAME) return fail(`inputs: ${label(name)} is no input of this model, which has ${INPUT_NAME}`);
  const rows = rowsOf(shape, features);
  const type = typeof datatype === 'string' && Object.hasOwn(ELEMENT_TYPES, datatype) ? ELEMENT_TYPES[datatype] : undefined;
  if (type === undefined) return fail(`inputs: datatype ${label(datatype)} of ${INPUT_NAME}: expected one of ${Object.keys(ELEMENT_TYPES).join(', ')}`);
  const matrix = new Float32Array(rows * features);
  const size = isObject(parameters) ? parameters['binary_data_size'] : undefined;
  if (size === undefined) {
    if (binary.length > 0) return fail(`${binary.length} bytes follow the JSON, and no input says binary_data_size`);
    if (!Array.isArray(data)) return fail(`inputs: ${INPUT_NAME} has neither data nor binary_data_size`);
    const end = fill(data, matrix, 0, 0);
    if (end !== matrix.length) return fail(`inputs: ${INPUT_NAME} has ${end} values, its shape asks for ${matrix.length}`);
    return { rows, matrix };
  }
  const needed = matrix.length * type.bytes;
  if (size !== needed) return fail(`inputs: binary_data_size of ${INPUT_NAME} is ${label(size)}, its shape and type ask for ${needed}`);
  if (binary.length !== needed) return fail(`${binary.length} bytes follow the JSON, the inputs ask for ${needed}`);
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  for (let i = 0; i < matrix.length; i++) matrix[i] = checked(type.read(view, i * type.bytes), i);
  return { rows, matrix };
}

function rowsOf(shape: unknown, features: number): number {
  const list = Array.isArray(shape) ? (shape as unknown[]) : [];
  const rows = list.length === 1 && list[0] === features ? 1 : list.length === 2 && list[1] === features ? list[0] : undefined;
  if (typeof rows !== 'number' || !Number.isInteger(rows) || rows < 1 || rows > INFER_ROWS_MAX)
    return fail(`inputs: shape ${label(shape)} of ${INPUT_NAME}: expected [rows, ${features}] with 1 to ${INFER_ROWS_MAX} rows, or [${features}]`);
  return rows;
}

/** Values flat or in rows, as the protocol allows. @returns how many there are, counted on beyond the matrix's end */
function fill(data: readonly unknown[], matrix: Float32Array, at: number, depth: number): number {
  for (const value of data) {
    if (Array.isArray(value)) at = depth < 2 ? fill(value, matrix, at, depth + 1) : fail(`inputs: data of ${INPUT_NAME} is nested too deeply`);
    else matrix[at] = numberOf(value, at++);
  }
  return at;
}

function numberOf(value: unknown, at: number): number {
  if (typeof value === 'number') return checked(value, at);
  if (value === null) return Number.NaN;
  return typeof value === 'boolean' ? Number(value) : fail(`inputs: value ${at} of ${INPUT_NAME} is ${label(value)}, expected a number`);
}

const checked = (value: number, at: number): number => (Math.abs(value) > FLOAT32_MAX ? fail(`inputs: value ${at} of ${INPUT_NAME} is beyond float32`) : value);

function readOutputs(outputs: unknown, binary: boolean): WantedOutput[] {
  if (outputs === undefined || (Array.isArray(outputs) && outputs.length === 0)) return OUTPUT_NAMES.map((name) => ({ name, binary }));
  if (!Array.isArray(outputs) || outputs.length > 16) return fail('outputs: expected a list of outputs');
  return outputs.map((output: unknown) => {
    const name = isObject(output) ? output['name'] : undefined;
    const known = OUTPUT_NAMES.find((one) => one === name);
    if (!isObject(output) || known === undefined) return fail(`outputs: ${label(name)} is no output of this model, which has ${OUTPUT_NAMES.join(' and ')}`);
    const own = isObject(output['parameters']) ? output['parameters'] : {};
    if (own['classification'] !== undefined) return fail('outputs: classification is not supported');
    return { name: known, binary: typeof own['binary_data'] === 'boolean' ? own['binary_data'] : binary };
  });
}

const label = (value: unknown): string => (JSON.stringify(value) ?? 'absent').slice(0, 100);
