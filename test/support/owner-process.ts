/** Starts an embedded Kafka, says its pid, and waits to be killed: a supervisor that ends without stopping anything. */
import { startEmbeddedKafka } from '../../runtime/embedded/kafka.js';
import { TEST_JARS_DIR, testLog } from './cluster.js';

const [dataDir = '', port = ''] = process.argv.slice(2);
const kafka = await startEmbeddedKafka({ dataDir, port: Number(port), log: testLog, jarsDir: TEST_JARS_DIR });
process.send?.(kafka.pid);
setInterval(() => {}, 60_000);
