import type { Type } from 'avsc';
import { messageOf, TidemarkError } from '../errors.js';
import { avroType } from './avro-type.js';
import { compileAvroWalk } from './avro-walk.js';
import { registryFailure, statusOf, type Registry } from './registry.js';
import { FRAME_BYTES, schemaIdOf } from './wire-format.js';

/** A schema that some producer wrote with. */
export interface WriterSchema {
  readonly id: number;
  /** The schema as JSON; its named references to other subjects are resolved in `type` only. */
  readonly schema: unknown;
  readonly type: Type;
  /** Throws where the bytes are not exactly one value of this schema. */
  readonly walk: (bytes: Buffer, start: number, end: number) => void;
}

/** Why an id has no usable schema. */
export interface NoWriter {
  readonly id: number;
  readonly missing: 'unknown' | 'unusable';
  readonly error: string;
}
export const isWriter = (found: WriterSchema | NoWriter): found is WriterSchema => 'type' in found;

export interface AvroDecoder<T> {
  /** Whether `decode` can answer for this value at once; otherwise `prepare` it first. */
  ready(framed: Buffer): boolean;
  /** Asks the registry for the value's writer schema. @throws TidemarkError REGISTRY_UNREACHABLE */
  prepare(framed: Buffer): Promise<void>;
  /**
   * Reads a framed value into the reader schema's shape, synchronously.
   * @throws TidemarkError SCHEMA_UNKNOWN, SCHEMA_INCOMPATIBLE, RECORD_UNDECODABLE
   */
  decode(framed: Buffer): T;
  /** The three in one, for paths that are not hot. */
  read(framed: Buffer): Promise<T>;
}

const WRITERS_MAX = 1000;
const MISSING_MAX = 1000;
/** How long an id that the registry does not have is not asked for again. */
const MISSING_TTL_MS = 5000;
/**
 * Most ids in that time that are asked for in vain. Producers that write no Confluent format at all bring a new "id" with
 * each record, and a request for each would hold a partition up.
 */
const MISSES_MAX = 200;
const REFERENCES_MAX = 32;
const ID_MAX = 0x7fff_ffff;

/** Writer schemas by id, compiled once. Registries never change the schema of an id, so what is found is kept. */
export class AvroTypes {
  readonly #writers = new Map<number, WriterSchema | NoWriter>();
  readonly #missing = new Map<number, { found: NoWriter; until: number }>();
  #misses = { count: 0, until: 0 };

  /** @param subject the subject that ids are looked up under (registries with contexts need one) */
  constructor(readonly registry: Registry, readonly subject: string, private readonly now: () => number = Date.now) {}

  /** What is known of an id; undefined means `prepare` it. */
  writer(id: number): WriterSchema | NoWriter | undefined {
    const found = this.#writers.get(id);
    if (found !== undefined) return found;
    // Ids are positive 32-bit numbers; anything else is not worth a request.
    if (!(id > 0 && id <= ID_MAX)) return { id, missing: 'unknown', error: `schema id ${id} is no id of a registry (1 to ${ID_MAX})` };
    const now = this.now();
    const missing = this.#missing.get(id);
    if (missing !== undefined && missing.until > now) return missing.found;
    if (this.#misses.count >= MISSES_MAX && this.#misses.until > now)
      return { id, missing: 'unknown', error: `schema id ${id} was not asked for: the registry had none of the last ${MISSES_MAX} unknown ids` };
    return undefined;
  }

  /** Takes in a schema whose id is known from its registration, which saves the request. */
  learn(id: number, schema: unknown): void {
    bound(this.#writers, WRITERS_MAX);
    this.#writers.set(id, compileWriter(id, schema, {}));
  }

  /** Asks the registry for an id that is not known. @throws TidemarkError REGISTRY_UNREACHABLE */
  async prepare(id: number): Promise<WriterSchema | NoWriter> {
    const known = this.writer(id);
    if (known !== undefined) return known;
    const found = await this.#fetch(id);
    if (!isWriter(found) && found.missing === 'unknown') {
      const now = this.now();
      bound(this.#missing, MISSING_MAX);
      this.#missing.set(id, { found, until: now + MISSING_TTL_MS });
      if (this.#misses.until <= now) this.#misses = { count: 0, until: now + MISSING_TTL_MS };
      this.#misses.count++;
    } else {
      bound(this.#writers, WRITERS_MAX);
      this.#writers.set(id, found);
    }
    return found;
  }

  /** A decoder into one reader schema; the resolution of each writer schema is compiled once. */
  decoder<T>(readerSchema: unknown): AvroDecoder<T> {
    const reader = avroType(readerSchema);
    const resolvers = new WeakMap<WriterSchema, ReturnType<Type['createResolver']>>();
    const resolverOf = (writer: WriterSchema): ReturnType<Type['createResolver']> => {
      let resolver = resolvers.get(writer);
      if (resolver === undefined) {
        try {
          resolver = reader.createResolver(writer.type, { ignoreNamespaces: true } as never);
        } catch (error) {
          throw new TidemarkError('SCHEMA_INCOMPATIBLE', `writer schema ${writer.id} cannot be read as ${reader.name ?? 'the reader schema'}: ${messageOf(error)}`);
        }
        resolvers.set(writer, resolver);
      }
      return resolver;
    };
    const decode = (framed: Buffer): T => {
      const writer = this.#writerOf(framed);
      const resolver = resolverOf(writer);
      try {
        writer.walk(framed, FRAME_BYTES, framed.length);
        return reader.decode(framed, FRAME_BYTES, resolver).value as T;
      } catch (error) {
        throw new TidemarkError('RECORD_UNDECODABLE', `Avro value of ${framed.length} bytes, schema ${writer.id}: ${messageOf(error)}`);
      }
    };
    const ready = (framed: Buffer): boolean => this.writer(schemaIdOf(framed)) !== undefined;
    const prepare = async (framed: Buffer): Promise<void> => { if (!ready(framed)) await this.prepare(schemaIdOf(framed)); };
    return { ready, prepare, decode, read: async (framed) => { await prepare(framed); return decode(framed); } };
  }

  #writerOf(framed: Buffer): WriterSchema {
    const id = schemaIdOf(framed);
    if (id === -1) throw new TidemarkError('RECORD_UNDECODABLE', `value of ${framed.length} bytes does not begin with the Confluent header (a zero byte and a 4-byte schema id)`);
    const writer = this.writer(id);
    if (writer === undefined) throw new TidemarkError('INTERNAL', `schema ${id} was not prepared before decoding`);
    if (!isWriter(writer)) throw new TidemarkError(writer.missing === 'unknown' ? 'SCHEMA_UNKNOWN' : 'SCHEMA_INCOMPATIBLE', writer.error);
    return writer;
  }

  async #fetch(id: number): Promise<WriterSchema | NoWriter> {
    const { client, url } = this.registry;
    let info: { schema: string; schemaType?: string; references?: Reference[] };
    try {
      info = await client.getBySubjectAndId(this.subject, id);
    } catch (error) {
      if (statusOf(error) === 404) return { id, missing: 'unknown', error: `schema id ${id} is not in the registry ${url}` };
      throw registryFailure(this.registry, `schema id ${id}`, error);
    }
    if (info.schemaType !== undefined && info.schemaType !== 'AVRO') return { id, missing: 'unusable', error: `schema ${id} is ${info.schemaType}, expected AVRO` };
    const known: Record<string, Type> = {};
    await this.#compileReferences(info.references ?? [], known, new Set());
    try {
      return compileWriter(id, JSON.parse(info.schema), known);
    } catch (error) {
      return { id, missing: 'unusable', error: `schema ${id} cannot be compiled: ${messageOf(error)}` };
    }
  }

  /** Types of other subjects that a schema names, deepest first. */
  async #compileReferences(references: readonly Reference[], known: Record<string, Type>, seen: Set<string>): Promise<void> {
    for (const { name, subject, version } of references) {
      const key = `${subject}/${version}`;
      if (seen.has(key) || seen.size >= REFERENCES_MAX) continue;
      seen.add(key);
      let info: { schema?: string; references?: Reference[] };
      try {
        info = await this.registry.client.getSchemaMetadata(subject, version);
      } catch (error) {
        throw registryFailure(this.registry, `referenced schema ${name} (${key})`, error);
      }
      await this.#compileReferences(info.references ?? [], known, seen);
      try {
        avroType(JSON.parse(info.schema ?? 'null'), known);
      } catch {
        // The schema that names it will say what is missing.
      }
    }
  }
}

function compileWriter(id: number, schema: unknown, known: Record<string, Type>): WriterSchema {
  const type = avroType(schema, known);
  return { id, schema, type, walk: compileAvroWalk(type) };
}

interface Reference { name: string; subject: string; version: number }

/** Makes room in a full cache by dropping its oldest entry. */
function bound(cache: Map<number, unknown>, sizeMax: number): void {
  if (cache.size < sizeMax) return;
  for (const oldest of cache.keys()) {
    cache.delete(oldest);
    return;
  }
}
