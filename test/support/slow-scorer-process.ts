import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { logisticModel } from './onnx.js';
import { startTestScorer } from './scorer.js';

/** A scorer's server as a process of its own whose model takes ROW_MS for each row; tells its port to the process that began it. */
const ends: (() => Promise<void>)[] = [];
const { url, holder } = await startTestScorer({ teardown: (end) => ends.push(end) }, { rowMs: Number(process.env['ROW_MS']) });
await holder.offer(logisticModel(view, 'v1', 1));
process.once('SIGTERM', () => void Promise.all(ends.map((end) => end())).then(() => process.exit(0)));
console.log(url);
