import avsc, { type Type } from 'avsc';

/**
 * The compiled type of an Avro schema. Logical types stay as their numbers (timestamp-millis is a number of
 * milliseconds), unions hold bare values, records are plain objects.
 * @throws Error of avsc where the schema is no Avro schema
 */
export function avroType(schema: unknown, known: Record<string, Type> = {}): Type {
  return avsc.Type.forSchema(schema as avsc.Schema, {
    registry: known,
    omitRecordMethods: true,
    typeHook: (inner: unknown, options: unknown) =>
      (inner as { type?: unknown } | null)?.type === 'map' ? (new OwnKeyMap(inner, options) as unknown as Type) : undefined,
  } as Partial<avsc.ForSchemaOptions>);
}

interface Tap { readLong(): number; readString(): string }
interface MapTypeLike { valuesType: { _read(tap: Tap): unknown } }
const MapType = avsc.types.MapType as unknown as new (schema: unknown, options: unknown) => MapTypeLike;

/** avsc's map, except that the key `__proto__` becomes an entry like any other and is not lost in an assignment. */
class OwnKeyMap extends MapType {
  _read(tap: Tap): Record<string, unknown> {
    const entries: Record<string, unknown> = {};
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (; count > 0; count--) {
        const key = tap.readString();
        const value = this.valuesType._read(tap);
        if (key === '__proto__') Object.defineProperty(entries, key, { value, enumerable: true, writable: true, configurable: true });
        else entries[key] = value;
      }
    }
    return entries;
  }
}

/** A negative count is followed by the block's size in bytes. */
function blockCount(tap: Tap): number {
  const count = tap.readLong();
  if (count >= 0) return count;
  tap.readLong();
  return -count;
}
