import { Log } from '../../runtime/log.js';
import { runService } from '../../runtime/lifecycle.js';
import { loadSettings } from '../../runtime/settings.js';
import { startDriftService } from '../../deploy/drift/service.js';

/** The drift service, as its command starts it, as a process of its own, for tests that kill it: settings from the environment. */
const settings = loadSettings();
const log = new Log('drift', settings.LOG_LEVEL);
await runService(log, (fail) => startDriftService(settings, log, fail));
