import { runService } from '../../runtime/lifecycle.js';
import { Log } from '../../runtime/log.js';
import { loadSettings } from '../../runtime/settings.js';
import { startTrainer } from '../../trainer/service/main.js';

/** The trainer as a process of its own, for tests that kill it. */
const settings = loadSettings();
const log = new Log('trainer', settings.LOG_LEVEL);
await runService(log, (fail) => startTrainer(settings, log, fail));
