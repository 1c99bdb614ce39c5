import { isUtf8 } from 'node:buffer';
import type { Type } from 'avsc';

/** Where a walk stands. `field` names the record field that was entered last, for messages. */
interface Walk {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  depth: number;
  /** Items without a single byte that may still be read. */
  emptyItems: number;
  field: string;
}
type Step = (walk: Walk) => void;
interface TypeNode {
  typeName: string;
  underlyingType?: TypeNode;
  fields?: readonly { name: string; type: TypeNode }[];
  valuesType?: TypeNode;
  itemsType?: TypeNode;
  types?: readonly TypeNode[];
  symbols?: readonly string[];
  size?: number;
}

const DEPTH_MAX = 64;
const EMPTY_ITEMS_MAX = 65_536;

/**
 * A function that goes over one encoded value and throws where it is not exactly one well-formed value of the type:
 * cut off, bytes left over, a length or count that does not fit, an index that does not exist, text that is not UTF-8.
 * avsc trusts counts and lengths (a map count of 2^40 keeps it busy for ever), so bytes of unknown origin come here first.
 */
export function compileAvroWalk(type: Type): (bytes: Buffer, start: number, end: number) => void {
  const step = stepOf(type as unknown as TypeNode, new Map());
  return (bytes, start, end) => {
    const walk: Walk = { bytes, at: start, end, depth: 0, emptyItems: EMPTY_ITEMS_MAX, field: '' };
    step(walk);
    if (walk.at !== end) throw new RangeError(`${end - walk.at} bytes left over after the last field`);
  };
}

function stepOf(type: TypeNode, compiled: Map<TypeNode, Step>): Step {
  if (type.underlyingType !== undefined) return stepOf(type.underlyingType, compiled);
  const known = compiled.get(type);
  if (known !== undefined) return known;
  let step: Step | undefined;
  // Recursive types meet this forward before they are compiled.
  compiled.set(type, (walk) => step!(walk));
  step = compileStep(type, compiled);
  compiled.set(type, step);
  return step;
}

function compileStep(type: TypeNode, compiled: Map<TypeNode, Step>): Step {
  switch (type.typeName) {
    case 'null': return () => {};
    case 'boolean': return (walk) => { if (walk.bytes[skip(walk, 1)]! > 1) throw fault(walk, 'a boolean that is neither 0 nor 1'); };
    case 'int': return (walk) => { varint(walk, 5); };
    case 'long': return (walk) => { varint(walk, 10); };
    case 'float': return (walk) => { skip(walk, 4); };
    case 'double': return (walk) => { skip(walk, 8); };
    case 'bytes': return (walk) => { skip(walk, length(walk)); };
    case 'string': return text;
    case 'fixed': return (walk) => { skip(walk, type.size!); };
    case 'enum': return (walk) => { index(walk, type.symbols!.length, 'enum'); };
    case 'array': return blocks(stepOf(type.itemsType!, compiled));
    case 'map': {
      const value = stepOf(type.valuesType!, compiled);
      return blocks((walk) => { text(walk); value(walk); });
    }
    case 'union:wrapped':
    case 'union:unwrapped': {
      const branches = type.types!.map((branch) => stepOf(branch, compiled));
      return (walk) => branches[index(walk, branches.length, 'union')]!(walk);
    }
    case 'record':
    case 'error': {
      const fields = type.fields!.map((field) => ({ name: field.name, step: stepOf(field.type, compiled) }));
      return (walk) => {
        if (++walk.depth > DEPTH_MAX) throw fault(walk, `records nested deeper than ${DEPTH_MAX}`);
        for (const { name, step } of fields) {
          walk.field = name;
          step(walk);
        }
        walk.depth--;
      };
    }
    default: throw new RangeError(`Avro type ${type.typeName} is not supported`);
  }
}

function blocks(item: Step): Step {
  return (walk) => {
    for (let count = varint(walk, 10); count !== 0; count = varint(walk, 10)) {
      let blockEnd = -1;
      if (count < 0) {
        count = -count;
        const size = length(walk);
        blockEnd = walk.at + size;
      }
      for (; count > 0; count--) {
        const before = walk.at;
        item(walk);
        if (walk.at === before && --walk.emptyItems < 0) throw fault(walk, `more than ${EMPTY_ITEMS_MAX} empty items`);
      }
      if (blockEnd !== -1 && walk.at !== blockEnd) throw fault(walk, 'a block whose size is not that of its items');
    }
  };
}

function text(walk: Walk): void {
  const bytes = length(walk);
  const start = skip(walk, bytes);
  for (let at = start; at < walk.at; at++)
    if (walk.bytes[at]! >= 0x80) {
      if (!isUtf8(walk.bytes.subarray(start, walk.at))) throw fault(walk, 'text that is not valid UTF-8');
      return;
    }
}

function index(walk: Walk, count: number, kind: string): number {
  const value = varint(walk, 5);
  if (value < 0 || value >= count) throw fault(walk, `${kind} index ${value} of ${count}`);
  return value;
}

function length(walk: Walk): number {
  const value = varint(walk, 10);
  if (value < 0) throw fault(walk, `negative length ${value}`);
  if (value > walk.end - walk.at) throw fault(walk, `length ${value} where ${walk.end - walk.at} bytes are left`);
  return value;
}

/** @returns where the skipped bytes began */
function skip(walk: Walk, count: number): number {
  const start = walk.at;
  if (count > walk.end - start) throw fault(walk, 'the record ends within it');
  walk.at = start + count;
  return start;
}

/** Zigzag varint; beyond 2^53 the value is approximate, which no length or index can use. */
function varint(walk: Walk, bytesMax: number): number {
  let low = 0;
  let factor = 1;
  for (let count = 0; count < bytesMax; count++) {
    if (walk.at >= walk.end) throw fault(walk, 'the record ends within it');
    const byte = walk.bytes[walk.at++]!;
    low += (byte & 0x7f) * factor;
    if (byte < 0x80) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
    factor *= 128;
  }
  throw fault(walk, `a number longer than ${bytesMax} bytes`);
}

const fault = (walk: Walk, what: string): RangeError => new RangeError(walk.field === '' ? what : `field ${walk.field}: ${what}`);
