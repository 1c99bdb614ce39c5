import { deploymentOf } from '../../schemas/ledger/deployment.js';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import type { Log } from '../../runtime/log.js';
import type { ManifestCodec, ModelVersion } from '../../runtime/models/assemble.js';
import { readModels } from '../../runtime/models/read.js';

export interface VersionsReader {
  readonly kafka: Kafka;
  readonly codec: ManifestCodec;
  readonly log: Log;
  readonly model: string;
}

/** What the fold of the ledger takes of the versions that were published before there was a ledger. */
export type StagedManifests = readonly Pick<ModelManifest, 'version' | 'stage'>[];

/** Version and stage of every manifest, in the order of `models`. */
export async function readStages({ kafka, codec, log, model }: VersionsReader): Promise<StagedManifests> {
  const stages: Pick<ModelManifest, 'version' | 'stage'>[] = [];
  await readModels({ kafka, codec, log, onModel: ({ manifest: { model: of, version, stage } }) => { if (of === model) stages.push({ version, stage }); } });
  return stages;
}

/** One version with its bytes; undefined where it is not on `models`. */
export async function readVersion({ kafka, codec, log, model }: VersionsReader, version: string): Promise<ModelVersion | undefined> {
  let found: ModelVersion | undefined;
  await readModels({ kafka, codec, log, onModel: (one) => { if (one.manifest.model === model && one.manifest.version === version) found = one; } });
  return found;
}

/** The version in force by ledger and manifests. */
export const championOf = (entries: readonly LedgerEntry[], stages: StagedManifests): string | undefined => deploymentOf(entries, stages).champion;
