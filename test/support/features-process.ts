import { runService } from '../../runtime/lifecycle.js';
import { Log } from '../../runtime/log.js';
import { loadSettings } from '../../runtime/settings.js';
import { startFeatures } from '../../stream-processors/features/main.js';

/** The feature processor as a process of its own, for tests that kill it. */
const settings = loadSettings();
const log = new Log('features', settings.LOG_LEVEL);
await runService(log, (fail) => startFeatures(settings, log, fail));
