import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { readStoredModel } from '../../runtime/models/stored.js';
import type { Settings } from '../../runtime/settings.js';
import type { DriftRequest, Measurement } from '../../schemas/drift/measurement.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { measureMultivariate } from '../../stream-processors/drift/multivariate.js';
import { sampleTrainingRows } from '../../trainer/artifacts/sample.js';
import { domainClassifier } from '../../trainer/domain.js';
import { loadXgboost } from '../../trainer/xgboost/library.js';

/** Rows of each side: 5,000 tell an AUC of 0.52 from 0.5. */
const ROWS_MAX = 5_000;
const SEED = 7;

/**
 * All features together, by the trainer's XGBoost, against the window before and against the version's training rows where
 * they are in the artifact store.
 * @throws TidemarkError REQUIREMENT_MISSING, DOWNLOAD_FAILED, ARTIFACTS_UNREACHABLE; what the client throws
 */
export async function multivariateOf(settings: Settings, client: ClickHouseClient, request: DriftRequest): Promise<Measurement[]> {
  const library = await loadXgboost(settings);
  const dataset_id = (await readStoredModel(settings, { model: request.model, version: request.modelVersion }))?.manifest.dataset_id ?? '';
  return measureMultivariate(client, request, {
    classify: domainClassifier(library, settings.TRAIN_THREADS),
    features: featureNames(customerActivity), rows_max: ROWS_MAX, seed: SEED,
    ...(dataset_id === '' ? {} : { training: (features, rows_max, seed) => sampleTrainingRows(settings, client, dataset_id, features, rows_max, seed) }),
  });
}
