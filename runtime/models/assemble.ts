import { createHash } from 'node:crypto';
import type { ModelManifest } from '../../schemas/events/model.js';
import { messageOf, TidemarkError } from '../errors.js';
import type { KafkaRecord } from '../kafka/records.js';

/** A published version, whole: its manifest and the ONNX bytes that the manifest's hash names. */
export interface ModelVersion {
  readonly manifest: ModelManifest;
  readonly onnx: Buffer;
  /** Where the manifest stands on `models`; a later offset of the same version is its newer stage. */
  readonly offset: number;
}

/** How a manifest stands in a record's value (Avro in Confluent wire format; see codec.ts). */
export interface ManifestCodec {
  encode(manifest: ModelManifest): Promise<Buffer> | Buffer;
  decode(value: Buffer): Promise<ModelManifest> | ModelManifest;
}

export const MODEL_BYTES_MAX = 256 * 1024 * 1024;
/** Versions whose chunks are held while their manifest has not come. One publisher leaves none; compaction may leave a few. */
const PENDING_VERSIONS_MAX = 4;

const KEY = /^(?<model>[a-z][a-z0-9_-]{0,63})\/(?<version>[A-Za-z0-9._-]{1,64})(?:#(?<index>\d{1,6}))?$/;

export const manifestKey = (manifest: Pick<ModelManifest, 'model' | 'version'>): string => `${manifest.model}/${manifest.version}`;
export const chunkKey = (manifest: Pick<ModelManifest, 'model' | 'version'>, index: number): string => `${manifestKey(manifest)}#${index}`;
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Puts versions together from the records of `models` in offset order. A record that cannot be used is told to
 * `onUnreadable` and left out: a bad model must not stop those who read the topic.
 * @returns the version that a manifest record completes; undefined for every other record. It rejects only where the
 *   registry cannot be asked (REGISTRY_UNREACHABLE): the same record may then be given again.
 */
export function createModelAssembler(
  codec: ManifestCodec,
  onUnreadable: (error: TidemarkError, record: KafkaRecord) => void,
): (record: KafkaRecord) => Promise<ModelVersion | undefined> {
  const pending = new Map<string, Map<number, Buffer>>();

  return async (record) => {
    try {
      const key = record.key?.toString('utf8') ?? '';
      const parts = KEY.exec(key)?.groups;
      if (parts === undefined) throw invalid(`key ${JSON.stringify(key.slice(0, 100))}, expected <model>/<version> or <model>/<version>#<chunk>`);
      const id = `${parts['model']}/${parts['version']}`;
      if (parts['index'] !== undefined) {
        keepChunk(pending, id, Number(parts['index']), record.value);
        return undefined;
      }
      const manifest = record.value === null ? undefined : await codec.decode(record.value);
      const chunks = pending.get(id);
      pending.delete(id);
      if (manifest === undefined) return undefined;
      if (manifestKey(manifest) !== id) throw invalid(`manifest of ${manifestKey(manifest)} under the key ${id}`);
      return { manifest, onnx: join(manifest, chunks), offset: record.offset };
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
      const unreadable = error instanceof TidemarkError && error.code === 'MODEL_INVALID';
      onUnreadable(unreadable ? error : invalid(`manifest cannot be decoded: ${messageOf(error)}`, error), record);
      return undefined;
    }
  };
}

function keepChunk(pending: Map<string, Map<number, Buffer>>, id: string, index: number, value: Buffer | null): void {
  if (value === null) return void pending.get(id)?.delete(index);
  let chunks = pending.get(id);
  if (chunks === undefined) {
    if (pending.size >= PENDING_VERSIONS_MAX) pending.delete(pending.keys().next().value!);
    pending.set(id, (chunks = new Map()));
  }
  chunks.set(index, value);
  let bytes = 0;
  for (const chunk of chunks.values()) bytes += chunk.length;
  if (bytes <= MODEL_BYTES_MAX) return;
  pending.delete(id);
  throw invalid(`${id}: more than ${MODEL_BYTES_MAX} bytes of chunks`);
}

function join(manifest: ModelManifest, chunks: ReadonlyMap<number, Buffer> | undefined): Buffer {
  const id = manifestKey(manifest);
  const parts: Buffer[] = [];
  for (let index = 0; index < manifest.chunk_count; index++) {
    const chunk = chunks?.get(index);
    if (chunk === undefined) throw invalid(`${id}: chunk ${index} of ${manifest.chunk_count} is missing before the manifest`);
    parts.push(chunk);
  }
  const onnx = Buffer.concat(parts);
  if (onnx.length !== manifest.onnx_bytes) throw invalid(`${id}: ${onnx.length} bytes in ${manifest.chunk_count} chunks, the manifest says ${manifest.onnx_bytes}`);
  const hash = sha256Of(onnx);
  if (hash !== manifest.onnx_sha256) throw invalid(`${id}: the chunks have sha256 ${hash}, the manifest says ${manifest.onnx_sha256}`);
  return onnx;
}

const invalid = (what: string, cause?: unknown): TidemarkError =>
  new TidemarkError('MODEL_INVALID', `models: ${what}; publish the version again (tidemark train)`, cause === undefined ? {} : { cause });
