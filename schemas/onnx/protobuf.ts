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

/** What stands at a field: its content is the bytes from `from` up to `to`, its tag begins at `start`. True ends the scan. */
type Visit = (id: number, wire: number, from: number, to: number, start: number) => boolean | void;

/** Goes over a message's fields without making an object of each. @throws RangeError where the bytes are no message */
export function scanFields(bytes: Uint8Array, visit: Visit): void {
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const tag = varintAt(bytes, at);
    const wire = tag % 8;
    const id = Math.floor(tag / 8);
    let from = endOfVarint(bytes, at);
    let to: number;
    if (wire === 0) to = endOfVarint(bytes, from);
    else if (wire === 1) to = from + 8;
    else if (wire === 5) to = from + 4;
    else if (wire === LENGTH_DELIMITED) {
      const length = varintAt(bytes, from);
      from = endOfVarint(bytes, from);
      to = from + length;
    } else throw new RangeError(`wire type ${wire} at byte ${start}`);
    if (to > bytes.length) throw new RangeError(`field ${id} at byte ${start} ends beyond the message`);
    if (visit(id, wire, from, to, start) === true) return;
    at = to;
  }
}

/** @throws RangeError where the bytes are no message */
export function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  scanFields(bytes, (id, wire, from, to, start) => {
    const content = bytes.subarray(from, to);
    fields.push({ id, wire, start, end: to, content: wire === LENGTH_DELIMITED ? content : NONE, fixed: wire === 0 || wire === LENGTH_DELIMITED ? NONE : content, value: wire === 0 ? varintAt(bytes, from) : 0 });
  });
  return fields;
}

/** @throws RangeError where none ends there */
export function endOfVarint(bytes: Uint8Array, at: number): number {
  for (let i = at; i < bytes.length && i < at + 10; i++) if (bytes[i]! < 0x80) return i + 1;
  throw new RangeError(`no number at byte ${at}`);
}

/** @throws RangeError where there is none */
export function varintAt(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let scale = 1, i = at; i < bytes.length && i < at + 10; scale *= 128, i++) {
    const byte = bytes[i]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
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
const utf8 = new TextDecoder();
export const textOf = (content: Uint8Array): string => utf8.decode(content);

/** Of the first field of that number: where it ends, nothing more of the message is read. */
export function contentOf(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  scanFields(bytes, (id, _wire, from, to) => {
    if (id === wanted) found = bytes.subarray(from, to);
    return found !== undefined;
  });
  return found;
}

/** Its text; empty where there is none. */
export const firstText = (bytes: Uint8Array, id: number): string => textOf(contentOf(bytes, id) ?? NONE);
