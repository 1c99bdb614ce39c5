import { runService } from '../../runtime/lifecycle.js';
import { Log } from '../../runtime/log.js';
import { loadSettings } from '../../runtime/settings.js';
import { startScorer } from '../../scorer/main.js';

/** The scorer as a process of its own, for tests that kill it. */
const settings = loadSettings();
const log = new Log('scorer', settings.LOG_LEVEL);
await runService(log, (fail) => startScorer(settings, log, fail));
