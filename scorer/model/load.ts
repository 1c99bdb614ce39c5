import { TidemarkError } from '../../runtime/errors.js';
import type { ModelVersion } from '../../runtime/models/assemble.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { bestCost, chooseChunkRows, type RowCost } from '../core/chunk.js';
import { checkModel, testRows } from './check.js';
import { openSession, type ScoringSession } from '../../runtime/models/session.js';
import { openWalk } from './walk.js';
import { measureRowCosts } from './warm.js';

/** A model version as it comes from the topic, whole: its reader has checked the bytes against the manifest's hash. */
export type ModelCandidate = Pick<ModelVersion, 'manifest' | 'onnx'>;

export interface LoadedModel {
  readonly manifest: ModelManifest;
  /** For sessions of other threads. */
  readonly onnx: Uint8Array;
  readonly session: ScoringSession;
  /** Where ONNX Runtime scores: why the trees are not walked, in words. */
  readonly not_walked?: string;
  /** Rows of one call, measured on this machine. */
  readonly chunkRows: number;
  readonly costs: readonly RowCost[];
}

/**
 * Loads, checks and warms a model; what it returns can serve at once. ONNX Runtime loads every model and is held against its
 * test rows; trees that are then walked to the same scores for less are scored so. Scoring by another model goes on
 * meanwhile, except while ONNX Runtime itself loads.
 * @throws TidemarkError MODEL_INVALID or MODEL_CHECK_FAILED
 */
export async function loadModel({ manifest, onnx }: ModelCandidate, view: FeatureView): Promise<LoadedModel> {
  checkManifest(manifest, view);
  const session = openSession(onnx, manifest.features.length, `${manifest.model} ${manifest.version}`);
  try {
    checkModel(session, manifest);
    const rows = testRows(manifest);
    const costs = await measureRowCosts(session, rows);
    const loaded = (by: ScoringSession, measured: readonly RowCost[]) => ({ manifest, onnx, session: by, costs: measured, chunkRows: chooseChunkRows(measured) });
    const walk = await openWalk(onnx, session, rows);
    if (typeof walk === 'string') return { ...loaded(session, costs), not_walked: walk };
    const walked = await measureRowCosts(walk, rows);
    if (!isCheaper(walked, costs)) return { ...loaded(session, costs), not_walked: `a row costs ${bestCost(walked).toFixed(1)} µs by its trees and ${bestCost(costs).toFixed(1)} by ONNX Runtime` };
    session.release();
    return loaded(walk, walked);
  } catch (error) {
    session.release();
    throw error;
  }
}

/** Alone and among many. */
const isCheaper = (costs: readonly RowCost[], than: readonly RowCost[]): boolean => costs[0]!.us_per_row < than[0]!.us_per_row && bestCost(costs) < bestCost(than);

function checkManifest(manifest: ModelManifest, view: FeatureView): void {
  const fail = (reason: string): never => { throw new TidemarkError('MODEL_INVALID', `model ${manifest.model} ${manifest.version}: ${reason}`); };
  if (manifest.view !== view.name || manifest.view_version !== view.version)
    fail(`made for view ${manifest.view} version ${manifest.view_version}, this scorer has ${view.name} version ${view.version}: train one for it`);
  const names = featureNames(view);
  const at = names.findIndex((name, i) => manifest.features[i] !== name);
  if (at >= 0 || manifest.features.length !== names.length) {
    const i = at >= 0 ? at : names.length;
    fail(`input ${i} is ${manifest.features[i] ?? 'absent'}, expected ${names[i] ?? 'none'} (the view's order)`);
  }
}
