import { decide, type Decision, type DeciderOptions } from '../../runtime/models/decide.js';
import { readLedger } from '../../runtime/models/ledger.js';
import { sized } from '../../runtime/models/publish.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import { storeModel } from '../artifacts/store.js';
import type { Candidate } from '../candidate.js';
import { cardMarkdown } from '../core/gate/card-markdown.js';
import { failures, inWords } from '../core/expectations.js';
import { cardOf, type ModelCard, type TrainingFacts } from '../core/gate/card.js';
import { readChannels } from '../dataset/channels.js';
import { writeCard } from './card-files.js';
import { championOf, readStages, readVersion, type StagedManifests } from './champion.js';
import { compareModels, type GateResult } from './compare.js';
import { entranceOf, entriesOf, isAnswered, reasonOf, STAGE_OF, type Deciding } from './decision.js';

/** What was written about a candidate. */
export interface Delivered extends Decision {
  readonly version: { readonly manifest: ModelManifest; readonly onnx: Uint8Array };
  readonly card: ModelCard;
}

export interface DeliverOptions extends Deciding {
  /** Why a model was asked for, in the event's own words. */
  readonly asked_because: string;
}

const COMPARISONS_MAX = 5;

/**
 * From a candidate to a decision: compared with the champion, published with its card, and entered into the ledger, the last
 * two in one transaction. Where the champion changes meanwhile, the comparison is made again with the new one.
 * @returns undefined where the retrain event has been answered by somebody else meanwhile: nothing is written then
 * @throws TidemarkError MODEL_INVALID, TRANSACTION_FAILED, REGISTRY_UNREACHABLE
 */
export async function deliver(settings: Settings, decider: DeciderOptions, candidate: Candidate, options: DeliverOptions): Promise<Delivered | undefined> {
  const { model } = candidate.manifest;
  const reader = { ...decider, codec: decider.manifests, model };
  const compared = { ...candidate, holdout: { ...candidate.holdout, channels: await readChannels(settings, candidate) } };
  for (let attempt = 1; attempt <= COMPARISONS_MAX; attempt++) {
    const { entries } = await readLedger({ ...decider, codec: decider.ledger, model });
    const stages = await readStages(reader);
    const champion = championOf(entries, stages);
    const gate = await candidate.run.stage('compare',
      async () => compareModels(settings, compared, champion === undefined ? undefined : await readVersion(reader, champion)),
      ({ verdict, champion: other }) => ({ champion: other ?? null, outcome: verdict.outcome, reason: verdict.reason }));
    const decision = decisionOf(candidate, gate, champion, options);
    const { version: { manifest, onnx }, card } = decision;
    // Before it is published: whatever serves can be looked up.
    await candidate.run.stage('store_model', () => storeModel(settings, manifest, onnx, cardMarkdown(card)), (place) => ({ place }));
    const result = await candidate.run.stage('deploy', () => write(decider, decision, { champion, stages }, options.retrain_event_id), (written) =>
      (typeof written === 'string' ? { entrance: written } : { entrance: written.card.decision.entrance, version: written.version.manifest.version }));
    if (result === 'answered') return undefined;
    if (result === 'another champion') continue;
    writeCard(settings, decider.log, result.card);
    await candidate.run.note(result.card.decision.entrance === 'refused' ? 'kept' : 'deployed', { version: result.card.version, entrance: result.card.decision.entrance, reason: result.card.decision.reason });
    return result;
  }
  throw new TidemarkError('TRANSACTION_FAILED', `the champion of ${model} changed during each of ${COMPARISONS_MAX} comparisons: nothing is written, run it again`);
}

/** What the decision rests on. */
interface Ground {
  readonly champion: string | undefined;
  readonly stages: StagedManifests;
}

/** Writes the decision where its ground still holds. */
async function write(decider: DeciderOptions, decision: Delivered, { champion, stages }: Ground, retrain_event_id: string): Promise<Delivered | 'answered' | 'another champion'> {
  let why: 'answered' | 'another champion' = 'answered';
  const written = await decide<Delivered>(decider, decision.card.model, (entries) => {
    if (retrain_event_id !== '' && isAnswered(entries, retrain_event_id)) return undefined;
    if (championOf(entries, stages) === champion) return decision;
    why = 'another champion';
    return undefined;
  });
  return written ?? why;
}

function decisionOf({ manifest: draft, onnx, holdout: { rows }, facts }: Candidate, gate: GateResult, champion: string | undefined, options: DeliverOptions): Delivered {
  const entrance = entranceOf(gate, champion, options);
  const named = { ...draft, stage: STAGE_OF[entrance], retrain_event_id: options.retrain_event_id };
  const { by, retrain_event_id, asked_because } = options;
  const card = cardOf({
    manifest: named, gate, importances: facts.importances, training: trainingFacts(facts), held_out: periodOf(rows.at),
    decision: { entrance, reason: reasonOf(gate, entrance), by, retrain_event_id, asked_because },
  });
  const manifest = sized({ ...named, card: JSON.stringify(card) }, onnx);
  const { model, version } = manifest;
  return { version: { manifest, onnx }, entries: entriesOf({ model, version, at: Date.now() }, entrance, gate, options), card };
}

/** What a card tells of the training itself. */
const trainingFacts = ({ families, calibration, expectations, cleaning }: Candidate['facts']): TrainingFacts => ({
  families: families.map(({ family, trials, metrics }) => ({ family, trials, metrics: { ...metrics } })),
  calibrations: calibration.compared, warnings: failures(expectations, 'warning').map(inWords), cleaning,
});

/** First and last moment, epoch milliseconds; both 0 where there is none. */
function periodOf(at: Float64Array): { from: number; to: number } {
  if (at.length === 0) return { from: 0, to: 0 };
  return { from: at.reduce((least, time) => Math.min(least, time)), to: at.reduce((most, time) => Math.max(most, time)) };
}
