import { join } from 'node:path';
import type { Settings } from '../../runtime/settings.js';
import type { FeatureView } from '../../schemas/features/declaration.js';

/**
 * Where a scorer keeps its online store: each view version has its own, since no version reads another's vectors, and each
 * scorer of a data folder beyond the first (INSTANCE other than 0), since each has the customers of its partitions.
 */
export const onlineStoreFolder = ({ DATA_DIR, INSTANCE }: Pick<Settings, 'DATA_DIR' | 'INSTANCE'>, view: FeatureView): string =>
  join(DATA_DIR, 'scorer', `online-${view.name}-v${view.version}${INSTANCE === '0' ? '' : `-${INSTANCE}`}`);
