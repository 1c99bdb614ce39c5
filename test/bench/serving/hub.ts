import { loadSettings } from '../../../runtime/settings.js';
import type { FeatureView } from '../../../schemas/features/declaration.js';
import { createLive } from '../../../scorer/live/live.js';

/** Live scores, of which there are none in this measurement. */
export const benchHub = (view: FeatureView) => ({ live: createLive({ view, settings: loadSettings({}), latest: () => undefined }) });
