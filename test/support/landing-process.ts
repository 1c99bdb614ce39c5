import { Log } from '../../runtime/log.js';
import { runService } from '../../runtime/lifecycle.js';
import { loadSettings } from '../../runtime/settings.js';
import { startLanding } from '../../stream-processors/landing/main.js';

/** Landing as a process of its own, for tests that kill it: settings from the environment. */
const settings = loadSettings();
const log = new Log('landing', settings.LOG_LEVEL);
await runService(log, (fail) => startLanding(settings, log, fail));
