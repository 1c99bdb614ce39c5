import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { ManifestCodec, ModelVersion } from '../../runtime/models/assemble.js';
import { followModels, readModels } from '../../runtime/models/read.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { withStage, type StagedVersion } from '../core/champions.js';
import type { ModelHolder } from './swap.js';

export interface ModelSourceOptions {
  readonly kafka: Kafka;
  readonly codec: ManifestCodec;
  readonly log: Log;
  /** MODEL_NAME */
  readonly model: string;
  readonly view: FeatureView;
  readonly holder: ModelHolder;
}

/** Takes versions in topic order and offers the newest fitting champion to the holder. */
export function createModelSelection({ log, model, view, holder }: Pick<ModelSourceOptions, 'log' | 'model' | 'view' | 'holder'>) {
  let champions: (StagedVersion & { readonly candidate: ModelVersion })[] = [];
  const refused = new Set<number>();

  return {
    take(candidate: ModelVersion): void {
      const { manifest, offset } = candidate;
      if (manifest.model !== model) return;
      if (manifest.stage === 'champion' && (manifest.view !== view.name || manifest.view_version !== view.version)) {
        log.warn('model_passed_over', { version: manifest.version, reason: `made for view ${manifest.view} version ${manifest.view_version}, this scorer has ${view.name} version ${view.version}` });
        return;
      }
      champions = withStage(champions, { version: manifest.version, champion: manifest.stage === 'champion', offset, candidate });
    },
    /** Puts the newest champion into service that is not refused; where there is none the present model stays. */
    async apply(): Promise<void> {
      for (const { version, offset, candidate } of champions) {
        if (refused.has(offset)) continue;
        if (holder.current()?.manifest.version === version || (await holder.offer(candidate))) break;
        refused.add(offset);
      }
      const kept = new Set(champions.map(({ offset }) => offset));
      for (const offset of refused) if (!kept.has(offset)) refused.delete(offset);
    },
  };
}

/** Reads `models` as it stands, puts the champion into service and follows the topic. */
export async function startModelSource(options: ModelSourceOptions): Promise<Stoppable> {
  const { kafka, codec, log } = options;
  const selection = createModelSelection(options);
  const from = await readModels({ kafka, codec, log, onModel: (version) => selection.take(version) });
  await selection.apply();
  return followModels({
    kafka, codec, log, from,
    async onModel(version) {
      selection.take(version);
      await selection.apply();
    },
  });
}
