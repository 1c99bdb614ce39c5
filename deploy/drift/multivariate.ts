import { createClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import { readStoredModel } from '../../runtime/models/stored.js';
import type { Settings } from '../../runtime/settings.js';
import type { DriftRequest, Measurement } from '../../schemas/drift/measurement.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { measureMultivariate, type SampledRows } from '../../stream-processors/drift/multivariate.js';
import type { Multivariate } from '../../stream-processors/drift/together.js';
import { sampleTrainingRows } from '../../trainer/artifacts/sample.js';
import { domainClassifier } from '../../trainer/domain.js';
import type { Xgboost } from '../../trainer/xgboost/capi.js';
import { loadXgboost } from '../../trainer/xgboost/library.js';

/** Rows of each side for the report: 5,000 tell an AUC of 0.52 from 0.5. */
const ROWS_MAX = 5_000;
const SEED = 7;
const FEATURES = featureNames(customerActivity);
/** A library that could not be fetched is asked for again after this. */
const RETRY_MS = 600_000;

/**
 * All features together, by the trainer's XGBoost, against the window before and against the version's training rows where
 * they are in the artifact store.
 * @throws TidemarkError REQUIREMENT_MISSING, DOWNLOAD_FAILED, ARTIFACTS_UNREACHABLE; what the client throws
 */
export async function multivariateOf(settings: Settings, client: ClickHouseClient, request: DriftRequest): Promise<Measurement[]> {
  return measure(await loadXgboost(settings), settings, client, request, ROWS_MAX, trainingRowsOf(settings, client));
}

/**
 * The same for each look of the drift service: the library is loaded once, and the training rows of the latest version are kept.
 * @returns undefined where DRIFT_MULTIVARIATE_ROWS is 0
 */
export function multivariateFor(settings: Settings): { measure: Multivariate; close(): Promise<void> } | undefined {
  const rows_max = settings.DRIFT_MULTIVARIATE_ROWS;
  if (rows_max === 0) return undefined;
  const client = createClickHouse(settings);
  const training = trainingRowsOf(settings, client);
  let library: Promise<Xgboost> | undefined;
  const load = (): Promise<Xgboost> => {
    if (library !== undefined) return library;
    library = loadXgboost(settings);
    library.catch(() => setTimeout(() => { library = undefined; }, RETRY_MS).unref());
    return library;
  };
  return {
    measure: async (request, signal) => measure(await load(), settings, client, request, rows_max, training, signal),
    close: () => client.close(),
  };
}

type TrainingRows = (request: DriftRequest, rows_max: number) => Promise<SampledRows | undefined>;

async function measure(library: Xgboost, settings: Settings, client: ClickHouseClient, request: DriftRequest, rows_max: number, training: TrainingRows, signal?: AbortSignal): Promise<Measurement[]> {
  return measureMultivariate(client, request, {
    classify: domainClassifier(library, settings.TRAIN_THREADS, signal), features: FEATURES, rows_max, seed: SEED, training: () => training(request, rows_max),
  });
}

/** Rows of a version's training set never change: those of the latest version asked for are kept. */
function trainingRowsOf(settings: Settings, client: ClickHouseClient): TrainingRows {
  let kept: { readonly version: string; readonly rows: SampledRows | undefined } | undefined;
  return async ({ model, modelVersion: version }, rows_max) => {
    if (kept?.version === version) return kept.rows;
    const dataset_id = (await readStoredModel(settings, { model, version }))?.manifest.dataset_id ?? '';
    const rows = dataset_id === '' ? undefined : await sampleTrainingRows(settings, client, dataset_id, FEATURES, rows_max, SEED);
    kept = { version, rows };
    return rows;
  };
}
