import { runService } from '../../runtime/lifecycle.js';
import { Log } from '../../runtime/log.js';
import { loadSettings } from '../../runtime/settings.js';
import { startRollout } from '../../trainer/rollout/main.js';

/** The rollout as a process of its own, for tests that kill it. */
const settings = loadSettings();
const log = new Log('rollout', settings.LOG_LEVEL);
await runService(log, () => startRollout(settings, log));
