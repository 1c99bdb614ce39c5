import { ProtocolError } from './protocol-error.js';

/** From this protocol revision on, a column of a Native block says after its type whether its serialization is a special one. */
const CUSTOM_SERIALIZATION_REVISION = 54_454;
/** Fields 1 (is_overflows = 0), 2 (bucket_num = -1), end. */
const BLOCK_INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);

/**
 * Native blocks as a client of a given protocol revision (client_protocol_version) expects them. The engine always writes
 * revision 0; clickhouse-go, and Grafana's data source with it, asks for its own and refuses that.
 * @param blocks whole blocks of revision 0
 */
export function toRevision(blocks: Uint8Array, revision: number): Uint8Array {
  if (revision === 0) return blocks;
  const source = Buffer.from(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  const parts: Buffer[] = [];
  const walk = new Walk(source);
  while (walk.at < source.length) {
    parts.push(BLOCK_INFO);
    let from = walk.at;
    const columns = walk.varint();
    const rows = walk.varint();
    for (let i = 0; i < columns; i++) {
      walk.string();
      const type = parseType(walk.string());
      if (revision >= CUSTOM_SERIALIZATION_REVISION) {
        parts.push(source.subarray(from, walk.at), Buffer.from([0]));
        from = walk.at;
      }
      if (rows > 0) {
        walk.prefix(type);
        walk.column(type, rows);
      }
    }
    parts.push(source.subarray(from, walk.at));
  }
  return Buffer.concat(parts);
}

interface Type { readonly name: string; readonly inner: readonly Type[]; readonly numbers: readonly number[] }

/** `Map(LowCardinality(String), Array(UInt8))` as a tree; names and other literals among the arguments are passed over. */
export function parseType(text: string): Type {
  const open = text.indexOf('(');
  if (open < 0) return { name: text.trim(), inner: [], numbers: [] };
  const name = text.slice(0, open).trim();
  const args = splitArguments(text.slice(open + 1, text.lastIndexOf(')')));
  const numbers = args.filter((arg) => /^\d+$/.test(arg)).map(Number);
  if (/^(?:Enum8|Enum16|DateTime|DateTime64|Decimal|FixedString|Time64)$/.test(name)) return { name, inner: [], numbers };
  // Of SimpleAggregateFunction(sum, T) the first is a function; an element of a Tuple may begin with its name.
  const types = name === 'SimpleAggregateFunction' ? args.slice(1) : args;
  return { name, numbers, inner: types.map((arg) => parseType(name === 'Tuple' || name === 'Nested' ? withoutName(arg) : arg)) };
}

const withoutName = (arg: string): string => /^(?:`(?:[^`\\]|\\.)*`|[A-Za-z_]\w*)\s+(?=[A-Z])(.*)$/s.exec(arg)?.[1] ?? arg;

function splitArguments(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "'" || c === '`') {
      for (i++; i < text.length && text[i] !== c; i++) if (text[i] === '\\') i++;
    } else if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === ',' && depth === 0) {
      found.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  return [...found, text.slice(from).trim()];
}

const WIDTHS: Readonly<Record<string, number>> = {
  UInt8: 1, Int8: 1, Bool: 1, Enum8: 1, Nothing: 1, UInt16: 2, Int16: 2, Enum16: 2, Date: 2, BFloat16: 2, UInt32: 4, Int32: 4, Float32: 4, Date32: 4,
  DateTime: 4, IPv4: 4, Time: 4, UInt64: 8, Int64: 8, Float64: 8, DateTime64: 8, Time64: 8, UInt128: 16, Int128: 16, UUID: 16, IPv6: 16, UInt256: 32, Int256: 32,
};
const ALIASES: Readonly<Record<string, string>> = {
  Point: 'Tuple(Float64, Float64)', Ring: 'Array(Point)', LineString: 'Array(Point)', Polygon: 'Array(Ring)', MultiLineString: 'Array(LineString)', MultiPolygon: 'Array(Polygon)',
};

/** Finds where columns end. */
class Walk {
  at = 0;
  constructor(private readonly source: Buffer) {}

  varint(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.source[this.at++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  }

  string(): string {
    const length = this.varint();
    this.at += length;
    return this.source.toString('utf8', this.at - length, this.at);
  }

  /** What stands before a column's values: one version number for each LowCardinality in its type. */
  prefix(type: Type): void {
    if (type.name === 'LowCardinality') this.at += 8;
    else if (ALIASES[type.name] === undefined) for (const inner of type.inner) this.prefix(inner);
  }

  column(type: Type, rows: number): void {
    const width = this.width(type);
    if (width !== undefined) {
      this.at += width * rows;
      return;
    }
    const inner = type.inner;
    switch (type.name) {
      case 'String':
        for (let i = 0; i < rows; i++) {
          const length = this.varint();
          this.at += length;
        }
        return;
      case 'Nullable': this.at += rows; return this.column(inner[0]!, rows);
      case 'SimpleAggregateFunction': return this.column(inner[0]!, rows);
      case 'Tuple': for (const one of inner) this.column(one, rows); return;
      case 'Array': return this.column(inner[0]!, this.offsets(rows));
      case 'Map': {
        const count = this.offsets(rows);
        for (const one of inner) this.column(one, count);
        return;
      }
      case 'LowCardinality': return this.lowCardinality(inner[0]!, rows);
    }
    const alias = ALIASES[type.name];
    if (alias === undefined) throw new ProtocolError(48, 'NOT_IMPLEMENTED', `Type ${type.name} in Native for client_protocol_version > 0 is not offered by the embedded server; cast it to another type.`);
    this.column(parseType(alias), rows);
  }

  private width(type: Type): number | undefined {
    const [precision = 0] = type.numbers;
    if (type.name === 'FixedString') return precision;
    if (type.name === 'Decimal') return precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32;
    return type.name.startsWith('Interval') ? 8 : WIDTHS[type.name];
  }

  /** Array offsets; the last is how many items there are. */
  private offsets(rows: number): number {
    if (rows === 0) return 0;
    this.at += 8 * rows;
    return Number(this.source.readBigUInt64LE(this.at - 8));
  }

  /** Dictionary and indexes, in as many runs as the rows take. */
  private lowCardinality(inner: Type, rows: number): void {
    const values = inner.name === 'Nullable' ? inner.inner[0]! : inner;
    for (let left = rows; left > 0;) {
      const flags = this.source.readBigUInt64LE(this.at);
      const keys = Number(this.source.readBigUInt64LE(this.at + 8));
      this.at += 16;
      this.column(values, keys);
      const count = Number(this.source.readBigUInt64LE(this.at));
      this.at += 8 + count * 2 ** Number(flags & 0xffn);
      left -= count;
    }
  }
}
