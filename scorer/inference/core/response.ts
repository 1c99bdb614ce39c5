import type { WantedOutput } from './request.js';

export interface Answered {
  readonly model: string;
  readonly version: string;
  readonly scores: Float64Array;
  readonly atRisk: Uint8Array;
}

/** An answer: its JSON, and the bytes of the outputs that were asked for as such. */
export interface InferAnswer {
  readonly json: string;
  /** Undefined where every output stands in the JSON. */
  readonly binary: Uint8Array | undefined;
}

const DECISIONS = ['keep', 'at_risk'] as const;
const encoder = new TextEncoder();

/** Writes the answer to an inference request, outputs in the order in which they were asked for. */
export function writeInferAnswer(id: string | undefined, outputs: readonly WantedOutput[], { model, version, scores, atRisk }: Answered): InferAnswer {
  const tensors: object[] = [];
  const pieces: Uint8Array[] = [];
  for (const { name, binary } of outputs) {
    const about = { name, datatype: name === 'score' ? 'FP32' : 'BYTES', shape: [scores.length] };
    if (!binary) tensors.push({ ...about, data: name === 'score' ? [...scores] : Array.from(atRisk, (flag) => DECISIONS[flag === 1 ? 1 : 0]) });
    else {
      const bytes = name === 'score' ? floats(scores) : texts(atRisk);
      pieces.push(bytes);
      tensors.push({ ...about, parameters: { binary_data_size: bytes.length } });
    }
  }
  const json = JSON.stringify({ model_name: model, model_version: version, ...(id === undefined ? {} : { id }), outputs: tensors });
  return { json, binary: pieces.length === 0 ? undefined : joined(pieces) };
}

function floats(scores: Float64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(scores.length * 4));
  for (let i = 0; i < scores.length; i++) view.setFloat32(i * 4, scores[i] as number, true);
  return new Uint8Array(view.buffer);
}

/** Each text after its length in four bytes. */
function texts(flags: Uint8Array): Uint8Array {
  const each = DECISIONS.map((text) => {
    const bytes = encoder.encode(text);
    const out = new Uint8Array(4 + bytes.length);
    new DataView(out.buffer).setUint32(0, bytes.length, true);
    out.set(bytes, 4);
    return out;
  });
  return joined(Array.from(flags, (flag) => each[flag === 1 ? 1 : 0] as Uint8Array));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
