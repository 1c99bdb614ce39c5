/** Reading and writing protobuf messages field by field, what is not known kept as it stands: enough to change a graph without rewriting it. */
export interface Field {
  readonly id: number;
  readonly wire: number;
  /** Where the field with its tag begins and ends in the message's bytes. */
  readonly start: number;
  readonly end: number;
  /** Of length-delimited fields, the content. */
  readonly content: Uint8Array;
  /** Of fields of 4 or 8 bytes, those. */
  readonly fixed: Uint8Array;
  /** Of varints. */
  readonly value: number;
}

const NONE: Uint8Array = new Uint8Array(0);
export const LENGTH_DELIMITED = 2;

/** @throws RangeError where the bytes are no message */
export function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at;
    let tag: number;
    [tag, at] = readVarint(bytes, at);
    const wire = tag & 7;
    let content: Uint8Array = NONE;
    let fixed: Uint8Array = NONE;
    let value = 0;
    if (wire === 0) [value, at] = readVarint(bytes, at);
    else if (wire === 1) fixed = bytes.subarray(at, at += 8);
    else if (wire === 5) fixed = bytes.subarray(at, at += 4);
    else if (wire === LENGTH_DELIMITED) {
      let length: number;
      [length, at] = readVarint(bytes, at);
      content = bytes.subarray(at, at + length);
      at += length;
    } else throw new RangeError(`wire type ${wire} at byte ${start}`);
    if (at > bytes.length) throw new RangeError(`field ${Math.floor(tag / 8)} at byte ${start} ends beyond the message`);
    fields.push({ id: Math.floor(tag / 8), wire, start, end: at, content, fixed, value });
  }
  return fields;
}

function readVarint(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let scale = 1, i = at; i < bytes.length && i < at + 10; scale *= 128, i++) {
    const byte = bytes[i]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, i + 1];
  }
  throw new RangeError(`no number at byte ${at}`);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const message = (id: number, ...content: readonly Uint8Array[]): Uint8Array => {
  const body = concat(content);
  return concat([Uint8Array.from([...varint(id * 8 + LENGTH_DELIMITED), ...varint(body.length)]), body]);
};
export const integer = (id: number, value: number): Uint8Array => Uint8Array.from([...varint(id * 8), ...varint(value)]);
/** ASCII and beyond: names in graphs are UTF-8. */
export const text = (id: number, value: string): Uint8Array => message(id, new TextEncoder().encode(value));
export const textOf = (content: Uint8Array): string => new TextDecoder().decode(content);
