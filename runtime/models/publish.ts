import type { Kafka, Producer, Transaction } from '../kafka/kafkajs.js';
import { MODEL_CHUNK_BYTES, type ModelManifest } from '../../schemas/events/model.js';
import { TOPICS } from '../../schemas/topics.js';
import { messageOf, TidemarkError } from '../errors.js';
import { chunkKey, MODEL_BYTES_MAX, manifestKey, sha256Of, type ManifestCodec } from './assemble.js';

/** The fields of a manifest that follow from its bytes. */
export type SizedFields = 'onnx_bytes' | 'onnx_sha256' | 'chunk_count';

/** The manifest of these bytes. @throws TidemarkError MODEL_INVALID where there are none or too many */
export function sized(draft: Omit<ModelManifest, SizedFields>, onnx: Uint8Array): ModelManifest {
  if (onnx.length === 0 || onnx.length > MODEL_BYTES_MAX)
    throw new TidemarkError('MODEL_INVALID', `model ${manifestKey(draft)}: ${onnx.length} bytes, expected 1 to ${MODEL_BYTES_MAX}`);
  return { ...draft, onnx_bytes: onnx.length, onnx_sha256: sha256Of(onnx), chunk_count: Math.ceil(onnx.length / MODEL_CHUNK_BYTES) };
}

/**
 * The one producer that may write about a model's versions, on `models` and `models.ledger`. Its first transaction fences
 * every other one and ends what that had open.
 * @param kafka a client with the transactional profile
 */
export const modelProducer = (kafka: Kafka, model: string): Producer =>
  kafka.producer({
    transactionalId: `tidemark-${TOPICS.models.name}-${model}`, transactionTimeout: 60_000, maxInFlightRequests: 1, idempotent: true, allowAutoTopicCreation: false,
  });

/** Chunks, then the manifest. One request a chunk: kafkajs makes one record batch of a request, and the broker bounds the batch. */
export async function sendVersion(transaction: Transaction, codec: ManifestCodec, manifest: ModelManifest, onnx: Uint8Array): Promise<void> {
  const topic = TOPICS.models.name;
  const value = await codec.encode(manifest);
  for (let index = 0; index < manifest.chunk_count; index++) {
    const chunk = Buffer.from(onnx.subarray(index * MODEL_CHUNK_BYTES, (index + 1) * MODEL_CHUNK_BYTES));
    await transaction.send({ topic, acks: -1, messages: [{ key: chunkKey(manifest, index), value: chunk, partition: 0 }] });
  }
  await transaction.send({ topic, acks: -1, messages: [{ key: manifestKey(manifest), value, partition: 0 }] });
}

/**
 * Publishes a version: chunks, then the manifest, in one transaction, so that no reader sees a part of it. A stage change
 * publishes the version again, chunks included: compaction then never parts a manifest from its chunks.
 * @param kafka a client with the transactional profile
 * @param also writes what belongs to the same transaction: entries of the ledger (`appendLedger`)
 * @returns the manifest as published
 */
export async function publishModel(
  kafka: Kafka, codec: ManifestCodec, draft: Omit<ModelManifest, SizedFields>, onnx: Uint8Array,
  also?: (transaction: Transaction) => Promise<void>,
): Promise<ModelManifest> {
  const manifest = sized(draft, onnx);
  const producer = modelProducer(kafka, manifest.model);
  await producer.connect();
  try {
    const transaction = await producer.transaction();
    try {
      await sendVersion(transaction, codec, manifest, onnx);
      await also?.(transaction);
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw new TidemarkError('TRANSACTION_FAILED', `models: version ${manifest.version} was not published: ${messageOf(error)}; run it again`, { cause: error });
    }
  } finally {
    await producer.disconnect();
  }
  return manifest;
}
