import { TidemarkError } from '../../runtime/errors.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import type { ScoringSession } from '../../runtime/models/session.js';

/** How far a score may be from the one its trainer computed for the same row. */
export const CHECK_TOLERANCE = 1e-5;

/** Rows of the manifest as numbers: null is a missing value. */
export const testRows = (manifest: ModelManifest): number[][] => manifest.test_inputs.map((row) => row.map((value) => value ?? Number.NaN));

/**
 * Holds a loaded model against the rows and scores that its trainer published with it: conversions and runtimes have
 * been wrong before, and a wrong score looks like any other.
 * @throws TidemarkError MODEL_CHECK_FAILED
 */
export function checkModel(session: ScoringSession, manifest: ModelManifest): void {
  const { version, test_outputs: expected } = manifest;
  const fail = (reason: string): never => { throw new TidemarkError('MODEL_CHECK_FAILED', `model ${manifest.model} ${version}: ${reason}; the model before it stays`); };
  const rows = testRows(manifest);
  if (rows.length === 0 || rows.length !== expected.length) fail(`it carries ${rows.length} test rows and ${expected.length} expected scores, expected as many of each and at least one`);
  const out = new Float64Array(1);
  for (const [i, row] of rows.entries()) {
    if (row.length !== session.featureCount) fail(`test row ${i} has ${row.length} values, expected ${session.featureCount}`);
    session.score(Float32Array.from(row), 1, out, 0);
    const got = out[0] as number;
    const want = expected[i] as number;
    if (!(Math.abs(got - want) <= CHECK_TOLERANCE)) fail(`test row ${i} scores ${got}, expected ${want} within ${CHECK_TOLERANCE}`);
  }
}
