import { join } from 'node:path';
import type { Settings } from '../../runtime/settings.js';
import type { FeatureView } from '../../schemas/features/declaration.js';

/** Where a scorer keeps its online store: each view version has its own, since no version reads another's vectors. */
export const onlineStoreFolder = (settings: Pick<Settings, 'DATA_DIR'>, view: FeatureView): string =>
  join(settings.DATA_DIR, 'scorer', `online-${view.name}-v${view.version}`);
