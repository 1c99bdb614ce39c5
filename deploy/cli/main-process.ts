/** The same commands without the launcher's checks: what the supervisor starts its processes with. */
import { main } from './main.js';

await main(process.argv.slice(2));
